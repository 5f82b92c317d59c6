import type { EngineInfo } from "../../ports/engine.ts";

/** uname's words for what Go calls otherwise: `docker info` shows these. */
const machines: Record<string, string> = { amd64: "x86_64", arm64: "aarch64", arm: "armv7l", "386": "i686" };

export function infoOf(info: EngineInfo, hostId: string, now_ms: number) {
  const { containers, runtime } = info;
  return {
    ID: hostId,
    Containers: containers.total,
    ContainersRunning: containers.running,
    ContainersPaused: containers.paused,
    ContainersStopped: containers.stopped,
    Images: info.images,
    Driver: info.storageDriver === "overlay" ? "overlay2" : info.storageDriver,
    DriverStatus: [["Backing Filesystem", ""]],
    SystemStatus: null,
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "null"],
      Authorization: null,
      Log: ["json-file", "none"],
    },
    ...limitsOf(info.warnings),
    CpuCfsPeriod: true,
    IPv4Forwarding: true,
    Debug: false,
    NFd: 0,
    NGoroutines: 0,
    SystemTime: new Date(now_ms).toISOString(),
    LoggingDriver: "json-file",
    CgroupDriver: info.cgroupDriver,
    CgroupVersion: String(info.cgroupVersion),
    NEventsListener: 0,
    KernelVersion: info.kernel,
    OperatingSystem: info.operatingSystem,
    OSVersion: "",
    OSType: info.osType,
    Architecture: machines[info.architecture] ?? info.architecture,
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: {
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
      InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8"],
      IndexConfigs: { "docker.io": { Name: "docker.io", Mirrors: [], Secure: true, Official: true } },
      Mirrors: null,
    },
    NCPU: info.cpus,
    MemTotal: info.memory_bytes,
    GenericResources: null,
    DockerRootDir: info.root,
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Name: info.hostname,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: info.version,
    Runtimes: { [runtime.name]: { path: runtime.path } },
    DefaultRuntime: runtime.name,
    Swarm: noSwarm,
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "docker-init",
    ContainerdCommit: { ID: "", Expected: "" },
    RuncCommit: { ID: runtime.version, Expected: runtime.version },
    InitCommit: { ID: "", Expected: "" },
    SecurityOptions: info.seccomp ? ["name=seccomp,profile=builtin", "name=cgroupns"] : ["name=cgroupns"],
    ProductLicense: "Apache-2.0",
    DefaultAddressPools: null,
    Warnings: info.warnings.length > 0 ? info.warnings : null,
    CDISpecDirs: [],
  };
}

/** What the kernel can limit: everything that it does not warn about. */
function limitsOf(warnings: string[]) {
  const can = (what: string) => !warnings.some(warning => warning.includes(what));
  return {
    MemoryLimit: can("no memory limit"),
    SwapLimit: can("no swap limit"),
    CpuCfsQuota: can("no cpu quota"),
    CPUShares: true,
    CPUSet: can("no cpuset"),
    PidsLimit: can("no pids limit"),
    OomKillDisable: false,
    BridgeNfIptables: true,
    BridgeNfIp6tables: true,
  };
}

const noSwarm = {
  NodeID: "",
  NodeAddr: "",
  LocalNodeState: "inactive",
  ControlAvailable: false,
  Error: "",
  RemoteManagers: null,
};
