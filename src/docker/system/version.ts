import type { EngineInfo } from "../../ports/engine.ts";
import { apiVersion, minimumApiVersion } from "../http/api-version.ts";

export function versionOf(info: EngineInfo) {
  const { version, kernel, architecture, runtime } = info;
  const common = { ApiVersion: apiVersion, MinAPIVersion: minimumApiVersion };
  return {
    Platform: { Name: "Berth" },
    Components: [
      {
        Name: "Engine",
        Version: version,
        Details: {
          ...common,
          Arch: architecture,
          BuildTime: "",
          Experimental: "false",
          GitCommit: "",
          GoVersion: "",
          KernelVersion: kernel,
          Os: "linux",
        },
      },
      { Name: runtime.name, Version: runtime.version, Details: { GitCommit: "" } },
      { Name: "conmon", Version: runtime.monitor, Details: { GitCommit: "" } },
    ],
    Version: version,
    ...common,
    GitCommit: "",
    GoVersion: "",
    Os: "linux",
    Arch: architecture,
    KernelVersion: kernel,
    BuildTime: "",
  };
}
