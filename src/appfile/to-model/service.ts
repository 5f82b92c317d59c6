import type { HealthCheck, RestartPolicy, Ulimit } from "../../model/container.ts";
import { parseDuration_ms } from "../../model/duration.ts";
import type {
  BuildSpec,
  FileGrant,
  Hook,
  HostHook,
  PullPolicy,
  Schedule,
  Service,
  ServiceMount,
  ServicePort,
  WatchRule,
} from "../../model/service.ts";
import type { ComposeService } from "../4-decode/service.ts";
import { deployOf, deviceRequestsOf } from "./deploy.ts";
import { resourcesOf } from "./resources.ts";
import { defined, duration_ms, extensionsOf, mapValues, mode, size_bytes } from "./values.ts";

/** The typed service of a canonical one. Its values were checked: what does not parse here cannot be. */
export function serviceOf(name: string, from: ComposeService): Omit<Service, "envFiles" | "labelFiles"> {
  return defined({ ...plainAttributes(name, from), ...namespaces(from), ...typedAttributes(from) });
}

/** What goes over as it is, but for its name. */
function plainAttributes(name: string, from: ComposeService) {
  return {
    name,
    profiles: from.profiles ?? [],
    image: from.image,
    platform: from.platform,
    containerName: from.container_name,
    command: from.command,
    entrypoint: from.entrypoint,
    // Bare keys were dropped when the environment was known.
    environment: (from.environment ?? {}) as Record<string, string>,
    labels: from.labels ?? {},
    annotations: from.annotations ?? {},
    workingDir: from.working_dir,
    user: from.user,
    groups: from.group_add,
    hostname: from.hostname,
    domainname: from.domainname,
    tty: from.tty,
    openStdin: from.stdin_open,
    init: from.init,
    attach: from.attach,
    stopSignal: from.stop_signal,
    scale: from.scale,
    expose: from.expose ?? [],
    macAddress: from.mac_address,
    dns: from.dns,
    dnsSearch: from.dns_search,
    dnsOptions: from.dns_opt,
    extraHosts: from.extra_hosts,
    links: from.links,
    externalLinks: from.external_links,
    tmpfs: from.tmpfs,
    volumesFrom: from.volumes_from,
    storageOptions: from.storage_opt,
    readOnlyRootfs: from.read_only,
    credentialSpec: from.credential_spec && {
      config: from.credential_spec.config,
      file: from.credential_spec.file,
      registry: from.credential_spec.registry,
    },
    privileged: from.privileged,
    capAdd: from.cap_add,
    capDrop: from.cap_drop,
    securityOptions: from.security_opt,
    sysctls: from.sysctls,
    oomScoreAdj: from.oom_score_adj,
    isolation: from.isolation,
    runtime: from.runtime,
    logging: from.logging && defined({ driver: from.logging.driver, options: from.logging.options ?? {} }),
    useApiSocket: from.use_api_socket,
    provider: from.provider && { type: from.provider.type, options: from.provider.options ?? {} },
    extensions: extensionsOf(from),
  };
}

function namespaces(from: ComposeService) {
  return {
    networkMode: from.network_mode,
    cgroupParent: from.cgroup_parent,
    cgroup: from.cgroup,
    ipc: from.ipc,
    pid: from.pid,
    uts: from.uts,
    usernsMode: from.userns_mode,
  };
}

function typedAttributes(from: ComposeService) {
  const berth = from["x-berth"];
  return {
    build: from.build && buildOf(from.build),
    pullPolicy: pullPolicyOf(from),
    stopGracePeriod_ms: duration_ms(from.stop_grace_period),
    restart: restartOf(from.restart),
    deploy: deployOf(from),
    dependsOn: mapValues(from.depends_on, ({ condition, restart = false, required = true }) => ({
      condition,
      restart,
      required,
    })),
    healthCheck: from.healthcheck && healthCheckOf(from.healthcheck),
    ports: (from.ports ?? []).map(portOf),
    networks: mapValues(from.networks, place =>
      defined({
        aliases: place?.aliases,
        ipv4: place?.ipv4_address,
        ipv6: place?.ipv6_address,
        linkLocalAddresses: place?.link_local_ips,
        macAddress: place?.mac_address,
        interfaceName: place?.interface_name,
        driverOptions: place?.driver_opts,
        priority: place?.priority,
        gatewayPriority: place?.gw_priority,
      }),
    ),
    mounts: (from.volumes ?? []).map(mountOf),
    shmSize_bytes: size_bytes(from.shm_size),
    secrets: (from.secrets ?? []).map(grant => grantOf(grant, "/run/secrets/")),
    configs: (from.configs ?? []).map(grant => grantOf(grant, "/")),
    ulimits: ulimitsOf(from.ulimits),
    devices: from.devices?.map(({ source, target = source, permissions = "rwm" }) => ({
      hostPath: source,
      containerPath: target,
      permissions,
    })),
    gpus: from.gpus && deviceRequestsOf(from.gpus),
    resources: resourcesOf(from),
    preStart: (from.pre_start ?? []).map(hook => ({
      ...hookOf(hook),
      ...defined({ image: hook.image, perReplica: hook.per_replica }),
    })),
    postStart: (from.post_start ?? []).map(hookOf),
    preStop: (from.pre_stop ?? []).map(hookOf),
    watch: (from.develop?.watch ?? []).map(watchOf),
    models:
      from.models &&
      mapValues(from.models, use => defined({ endpointVariable: use?.endpoint_var, modelVariable: use?.model_var })),
    schedule: berth?.schedule && scheduleOf(berth.schedule),
    hostHooks: berth?.host_hooks && {
      beforeStart: (berth.host_hooks.before_start ?? []).map(hostHookOf),
      afterStop: (berth.host_hooks.after_stop ?? []).map(hostHookOf),
    },
  };
}

function buildOf(from: NonNullable<ComposeService["build"]>): BuildSpec {
  return defined({
    context: from.context ?? ".",
    dockerfile: from.dockerfile,
    dockerfileInline: from.dockerfile_inline,
    args: from.args as Record<string, string> | undefined,
    target: from.target,
    labels: from.labels,
    tags: from.tags,
    platforms: from.platforms,
    additionalContexts: from.additional_contexts,
    cacheFrom: from.cache_from,
    cacheTo: from.cache_to,
    noCache: from.no_cache,
    noCacheFilter: from.no_cache_filter,
    pull: from.pull,
    network: from.network,
    shmSize_bytes: size_bytes(from.shm_size),
    extraHosts: from.extra_hosts,
    isolation: from.isolation,
    privileged: from.privileged,
    entitlements: from.entitlements,
    secrets: from.secrets?.map(grant => grantOf(grant, "")),
    ssh: from.ssh && Object.fromEntries(from.ssh.map(key => (key.includes("=") ? cut(key) : [key, ""]))),
    ulimits: ulimitsOf(from.ulimits),
    provenance: from.provenance,
    sbom: from.sbom,
  });
}

const cut = (pair: string): [string, string] => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];

function pullPolicyOf({ pull_policy: policy, pull_refresh_after: after }: ComposeService): PullPolicy | undefined {
  if (policy === undefined) return undefined;
  const every = { daily: "24h", weekly: "168h", refresh: after ?? "24h" }[policy] ?? /^every_(.*)$/.exec(policy)?.[1];
  if (every !== undefined) return { when: "refresh", refreshAfter_ms: parseDuration_ms(every) };
  // The shape lets no other words through.
  return { when: (policy === "if_not_present" ? "missing" : policy) as PullPolicy["when"] };
}

function restartOf(text: string | undefined): RestartPolicy | undefined {
  if (text === undefined) return undefined;
  const [name, retries] = text.split(":");
  return defined({
    name: name as RestartPolicy["name"],
    maximumRetries: retries === undefined ? undefined : Number(retries),
  });
}

function healthCheckOf(from: NonNullable<ComposeService["healthcheck"]>): HealthCheck {
  if (from.disable) return { test: ["NONE"] };
  return defined({
    // [] leaves the image's test, with other times.
    test: from.test ?? [],
    interval_ms: duration_ms(from.interval),
    timeout_ms: duration_ms(from.timeout),
    startPeriod_ms: duration_ms(from.start_period),
    startInterval_ms: duration_ms(from.start_interval),
    retries: from.retries,
  });
}

function portOf(from: NonNullable<ComposeService["ports"]>[number]): ServicePort {
  const [first, last] = from.published ? from.published.split("-").map(Number) : [];
  return defined({
    containerPort: from.target ?? 0,
    protocol: from.protocol ?? "tcp",
    hostAddress: from.host_ip?.replace(/^\[|\]$/g, ""),
    hostPort: first === 0 ? undefined : first,
    hostPortEnd: last,
    mode: from.mode ?? "ingress",
    name: from.name,
    appProtocol: from.app_protocol,
  });
}

function mountOf(from: NonNullable<ComposeService["volumes"]>[number]): ServiceMount {
  return defined({
    type: from.type,
    source: from.source,
    target: from.target ?? "",
    readOnly: from.read_only,
    consistency: from.consistency,
    propagation: from.bind?.propagation,
    createHostPath: from.bind?.create_host_path,
    recursive: from.bind?.recursive,
    selinux: from.bind?.selinux,
    noCopy: from.volume?.nocopy,
    labels: from.volume?.labels,
    subpath: from.volume?.subpath ?? from.image?.subpath,
    size_bytes: size_bytes(from.tmpfs?.size),
    mode: mode(from.tmpfs?.mode),
  });
}

function grantOf(from: NonNullable<ComposeService["secrets"]>[number], directory: string): FileGrant {
  const target = from.target ?? from.source;
  return defined({
    source: from.source,
    target: target.startsWith("/") ? target : `${directory}${target}`,
    uid: from.uid,
    gid: from.gid,
    mode: mode(from.mode),
  });
}

function ulimitsOf(from: ComposeService["ulimits"]): Ulimit[] | undefined {
  const sorted = from && Object.entries(from).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted?.map(([name, limit]) =>
    typeof limit === "number" ? { name, soft: limit, hard: limit } : { name, soft: limit.soft, hard: limit.hard },
  );
}

type ComposeHook = NonNullable<ComposeService["post_start"]>[number];

function hookOf(from: ComposeHook): Hook {
  return defined({
    command: from.command,
    user: from.user,
    privileged: from.privileged,
    workingDir: from.working_dir,
    environment: from.environment as Record<string, string> | undefined,
  });
}

function watchOf(from: NonNullable<NonNullable<ComposeService["develop"]>["watch"]>[number]): WatchRule {
  const { path, action, target, ignore, include, initial_sync: initialSync, exec } = from;
  return defined({ path, action, target, ignore, include, initialSync, exec: exec && hookOf(exec) });
}

type Berth = NonNullable<ComposeService["x-berth"]>;

function scheduleOf(from: NonNullable<Berth["schedule"]>): Schedule {
  return {
    cron: from.cron,
    timeZone: from.time_zone ?? "UTC",
    overlap: from.overlap ?? "forbid",
    startingDeadline_ms: duration_ms(from.starting_deadline) ?? 0,
    keepSucceeded: from.keep_succeeded ?? 3,
    keepFailed: from.keep_failed ?? 3,
    suspended: from.suspended ?? false,
  };
}

const defaultHookTimeout_ms = 60_000;

function hostHookOf(from: { command: string[]; timeout?: string; environment?: Record<string, string> }): HostHook {
  return {
    command: from.command,
    timeout_ms: duration_ms(from.timeout) ?? defaultHookTimeout_ms,
    environment: from.environment ?? {},
  };
}
