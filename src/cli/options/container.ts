import { type Command, Option } from "commander";

/** Collects an option that may be given several times. */
export const collect = (value: string, all: string[]): string[] => [...all, value];

const many = (command: Command, flags: string, summary: string): Command => command.option(flags, summary, collect, []);

/** The options that `run` and `create` share, with docker's names and letters. */
export function addContainerOptions(command: Command): Command {
  command.argument("<image>", "image to run").argument("[command...]", "program and arguments, instead of the image's");
  command.passThroughOptions();
  addProcessOptions(command);
  addStorageOptions(command);
  addNetworkOptions(command);
  addSecurityOptions(command);
  addResourceOptions(command);
  addLifeOptions(command);
  return command;
}

function addProcessOptions(command: Command): void {
  command
    .option("--name <name>", "name of the container")
    .option("-i, --interactive", "keep stdin open")
    .option("-t, --tty", "give it a terminal")
    .option("-w, --workdir <path>", "working directory")
    .option("-u, --user <user>", "user[:group], by name or number")
    .option("--entrypoint <program>", "program instead of the image's entrypoint")
    .option("-h, --hostname <name>", "host name")
    .option("--domainname <name>", "domain name")
    .option("--init", "run a small init that reaps processes and passes on signals")
    .helpOption("--help", "show this help");
  many(command, "-e, --env <pair>", "environment variable NAME=VALUE, or NAME to pass on yours");
  many(command, "--env-file <file>", "file of environment variables");
  many(command, "-l, --label <pair>", "label NAME=VALUE");
  many(command, "--label-file <file>", "file of labels");
  many(command, "--annotation <pair>", "annotation for the runtime");
  many(command, "--group-add <group>", "further group");
}

function addStorageOptions(command: Command): void {
  many(command, "-v, --volume <volume>", "[SOURCE:]TARGET[:ro]; a source with a slash is a host path, else a volume");
  many(command, "--mount <mount>", "type=bind|volume|tmpfs|image,source=…,target=…[,readonly]");
  many(command, "--tmpfs <path>", "memory file system TARGET[:OPTIONS]");
  many(command, "--volumes-from <container>", "mounts of another container");
  many(command, "--storage-opt <pair>", "option for the storage driver");
  command
    .option("--read-only", "root file system read only")
    .option("--shm-size <size>", "size of /dev/shm")
    .option("--volume-driver <driver>", "driver for volumes made by -v");
}

function addNetworkOptions(command: Command): void {
  many(command, "-p, --publish <port>", "[ADDRESS:][HOSTPORT:]PORT[/udp]");
  many(command, "--expose <port>", "port to be published by -P");
  many(command, "--network <network>", "network to join; also host, none, container:NAME");
  many(command, "--network-alias <name>", "further name in the network");
  many(command, "--dns <address>", "name server");
  many(command, "--dns-search <domain>", "search domain");
  many(command, "--dns-option <option>", "resolver option");
  many(command, "--add-host <entry>", "line of /etc/hosts, HOST:ADDRESS (address may be host-gateway)");
  many(command, "--link <container>", "other container, CONTAINER[:ALIAS]");
  many(command, "--link-local-ip <address>", "link-local address");
  command
    .option("-P, --publish-all", "publish all exposed ports on free ports")
    .option("--ip <address>", "IPv4 address")
    .option("--ip6 <address>", "IPv6 address")
    .option("--mac-address <address>", "MAC address");
}

function addSecurityOptions(command: Command): void {
  many(command, "--cap-add <capability>", "add a capability");
  many(command, "--cap-drop <capability>", "drop a capability");
  many(command, "--security-opt <option>", "no-new-privileges, seccomp=FILE|unconfined …");
  many(command, "--device <device>", "HOST[:CONTAINER[:rwm]]");
  many(command, "--device-cgroup-rule <rule>", "rule for devices, e.g. 'c 42:* rmw'");
  many(command, "--sysctl <pair>", "kernel parameter of the container's own namespaces");
  many(command, "--ulimit <limit>", "NAME=SOFT[:HARD]");
  command
    .option("--privileged", "all capabilities and devices, no confinement")
    .option("--pid <mode>", "process namespace: host, container:NAME")
    .option("--ipc <mode>", "IPC namespace: host, private, shareable, none, container:NAME")
    .option("--uts <mode>", "host name namespace: host")
    .option("--userns <mode>", "user namespace: host")
    .option("--cgroupns <mode>", "cgroup namespace: host, private");
}

function addResourceOptions(command: Command): void {
  addLimitOptions(command);
  many(command, "--blkio-weight-device <pair>", "weight of a device, PATH:WEIGHT");
  many(command, "--device-read-bps <pair>", "read limit, PATH:RATE (e.g. /dev/sda:1mb)");
  many(command, "--device-write-bps <pair>", "write limit, PATH:RATE");
  many(command, "--device-read-iops <pair>", "read limit, PATH:OPERATIONS");
  many(command, "--device-write-iops <pair>", "write limit, PATH:OPERATIONS");
  command
    .option("--memory-swappiness <percent>", "0 to 100")
    .option("--oom-kill-disable", "do not kill when out of memory")
    .option("--oom-score-adj <number>", "-1000 to 1000")
    .option("--cgroup-parent <path>", "cgroup to put it under")
    .option("--runtime <name>", "OCI runtime");
}

/** Those that `update` can change too. */
export function addLimitOptions(command: Command): void {
  command
    .option("-m, --memory <size>", "memory limit, e.g. 512m")
    .option("--memory-reservation <size>", "soft memory limit")
    .option("--memory-swap <size>", "memory and swap together; -1 is unlimited swap")
    .option("--cpus <number>", "cores, e.g. 1.5")
    .option("-c, --cpu-shares <number>", "relative weight")
    .option("--cpu-period <microseconds>", "period of the CPU quota")
    .option("--cpu-quota <microseconds>", "CPU time in each period")
    .option("--cpu-rt-period <microseconds>", "period of the real-time quota")
    .option("--cpu-rt-runtime <microseconds>", "real-time CPU time in each period")
    .option("--cpuset-cpus <list>", "cores to run on, e.g. 0-2,4")
    .option("--cpuset-mems <list>", "memory nodes")
    .option("--pids-limit <number>", "processes at most; -1 is unlimited")
    .option("--blkio-weight <number>", "10 to 1000");
}

function addLifeOptions(command: Command): void {
  command
    .option("--restart <policy>", "no, on-failure[:N], always, unless-stopped")
    .option("--restart-on-unhealthy", "restart also when the health check fails")
    .option("--rm", "remove it when it has ended")
    .option("--stop-signal <signal>", "signal to stop it with")
    .option("--stop-timeout <seconds>", "time to end by itself before it is killed")
    .option("--cidfile <file>", "write the container's id to this file")
    .option("--log-driver <driver>", "json-file or none")
    .option("--health-cmd <command>", "command that checks health")
    .option("--health-interval <duration>", "time between checks")
    .option("--health-timeout <duration>", "longest time of a check")
    .option("--health-retries <number>", "failures in a row until unhealthy")
    .option("--health-start-period <duration>", "time to start in which failures do not count")
    .option("--health-start-interval <duration>", "time between checks in the start period")
    .option("--no-healthcheck", "switch the image's health check off")
    .option("--platform <platform>", "e.g. linux/amd64")
    .option("-q, --quiet", "print no progress while pulling")
    .addOption(
      new Option("--pull <when>", "fetch the image").choices(["always", "missing", "never"]).default("missing"),
    );
  many(command, "--log-opt <pair>", "option of the log driver, e.g. max-size=10m");
}
