import { berthService } from "./berth.ts";
import { build, ulimits } from "./build.ts";
import { listOf, object, options, pairs, textOrTexts, texts } from "./collections.ts";
import { command, healthcheck } from "./commands.ts";
import { deploy } from "./deploy.ts";
import { gpus } from "./device-requests.ts";
import { envFiles, labelFiles } from "./env-files.ts";
import { extraHosts } from "./extra-hosts.ts";
import { configGrants, secretGrants } from "./grants.ts";
import { hooks, startHooks } from "./hooks.ts";
import { logging } from "./logging.ts";
import { devices, mounts } from "./mounts.ts";
import { hostPath } from "./paths.ts";
import { expose, ports } from "./ports.ts";
import { dependsOn, networks, serviceModels } from "./references.ts";
import {
  bool,
  decimal,
  duration,
  integer,
  microseconds,
  numberedText,
  oneOf,
  size,
  text,
  textLike,
} from "./scalars.ts";
import { extendsShape, provider, watch } from "./service-parts.ts";
import type { Plain } from "./shape.ts";

const rate = listOf(object("a limit", { path: text, rate: size }, {}));

const blkio = object(
  "blkio_config",
  {},
  {
    weight: integer(0, 1_000),
    weight_device: listOf(object("a weight", { path: text, weight: integer(0, 1_000) }, {})),
    device_read_bps: rate,
    device_read_iops: rate,
    device_write_bps: rate,
    device_write_iops: rate,
  },
);

const restart = textLike(
  "no, always, unless-stopped, on-failure or on-failure:3",
  /^(no|always|unless-stopped|on-failure(:\d{1,9})?)$/,
);

const pullPolicy = textLike(
  "always, never, missing, if_not_present, build, refresh, daily, weekly or every_12h",
  /^(always|never|missing|if_not_present|build|refresh|daily|weekly|every_([0-9]+[wdhms])+)$/,
);

/** The 93 attributes of a service (Compose Specification, 05-services.md), in the order in which they are printed. */
export const service = object(
  "a service",
  {},
  {
    profiles: texts,
    annotations: pairs("annotations", "empty"),
    attach: bool,
    build,
    develop: object("develop", {}, { watch }),
    blkio_config: blkio,
    cap_add: texts,
    cap_drop: texts,
    cgroup_parent: text,
    cgroup: oneOf("host", "private"),
    cpu_count: integer(0),
    cpu_percent: decimal(0, 100),
    cpu_period: microseconds,
    cpu_quota: microseconds,
    cpu_rt_period: microseconds,
    cpu_rt_runtime: microseconds,
    cpus: decimal(0),
    cpuset: textLike("CPUs such as 0-3,7", /^(\d+(-\d+)?(,\d+(-\d+)?)*)?$/),
    cpu_shares: integer(0),
    command,
    configs: configGrants,
    container_name: textLike(
      "a container name",
      /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/,
      "use letters, digits, dots, dashes, underscores",
    ),
    credential_spec: object("a credential spec", {}, { config: text, file: hostPath, registry: text }),
    depends_on: dependsOn,
    deploy,
    device_cgroup_rules: texts,
    devices,
    dns: textOrTexts,
    dns_opt: texts,
    dns_search: textOrTexts,
    domainname: text,
    entrypoint: command,
    provider,
    environment: pairs("variables", "null"),
    env_file: envFiles,
    expose,
    extends: extendsShape,
    external_links: texts,
    extra_hosts: extraHosts,
    group_add: listOf(numberedText),
    gpus,
    hostname: text,
    healthcheck,
    image: text,
    init: bool,
    ipc: text,
    isolation: text,
    labels: pairs("labels", "empty"),
    label_file: labelFiles,
    links: texts,
    logging,
    mem_limit: size,
    mem_reservation: size,
    memswap_limit: size,
    mem_swappiness: integer(-1, 100),
    mac_address: text,
    models: serviceModels,
    network_mode: text,
    networks,
    oom_kill_disable: bool,
    oom_score_adj: integer(-1_000, 1_000),
    pid: text,
    pids_limit: integer(-1),
    platform: text,
    ports,
    privileged: bool,
    pull_policy: pullPolicy,
    pull_refresh_after: duration,
    read_only: bool,
    restart,
    runtime: text,
    scale: integer(0),
    secrets: secretGrants,
    security_opt: texts,
    shm_size: size,
    stdin_open: bool,
    stop_grace_period: duration,
    stop_signal: numberedText,
    storage_opt: options("storage options"),
    sysctls: pairs("kernel parameters", "empty"),
    tmpfs: textOrTexts,
    tty: bool,
    ulimits,
    use_api_socket: bool,
    user: numberedText,
    userns_mode: text,
    uts: text,
    volumes: mounts,
    volumes_from: texts,
    working_dir: text,
    pre_start: startHooks,
    post_start: hooks,
    pre_stop: hooks,
    "x-berth": berthService,
  },
);

export type ComposeService = Plain<typeof service>;
