import { describe, expect, test } from "vitest";
import { statusText } from "./containers/container-state.ts";
import { toContainerSpec } from "./containers/to-container-spec.ts";
import { parseBind } from "./containers/to-mounts.ts";
import { Fields } from "./http/fields.ts";
import { Query } from "./http/query.ts";
import { DetachKeys, parseDetachKeys } from "./streams/detach-keys.ts";
import { frame } from "./streams/frame.ts";

const spec = (body: object) => toContainerSpec(new Fields(body), {});

describe("what a client asks for becomes the engine's specification", () => {
  test("ports, binds, limits and policies", () => {
    const made = spec({
      Image: "web",
      Cmd: "true",
      HostConfig: {
        Binds: ["/srv:/srv:ro", "data:/data"],
        PortBindings: { "80/tcp": [{ HostPort: "8080" }], "53/udp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
        Memory: 1 << 20,
        RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
        NetworkMode: "default",
      },
    });
    expect(made).toMatchObject({
      command: ["true"],
      mounts: [
        { type: "bind", source: "/srv", target: "/srv", readOnly: true, createHostPath: true },
        { type: "volume", source: "data", target: "/data" },
      ],
      ports: [
        { containerPort: 80, protocol: "tcp", hostPort: 8080 },
        { containerPort: 53, protocol: "udp", hostAddress: "127.0.0.1" },
      ],
      resources: { memory_bytes: 1 << 20 },
      restart: { name: "on-failure", maximumRetries: 3 },
      namespaces: { network: "" },
    });
  });

  test("names in any case and unknown fields are accepted, as by Docker", () => {
    expect(spec({ image: "web", Nonsense: 1, hostconfig: { autoremove: true } })).toMatchObject({
      image: "web",
      autoRemove: true,
    });
  });

  test.each([
    [{ HostConfig: { DeviceRequests: [{ Count: -1 }] } }, "HostConfig.DeviceRequests is not served"],
    [{ HostConfig: { Isolation: "hyperv" } }, "HostConfig.Isolation is not served"],
    [{ HostConfig: { LogConfig: { Type: "syslog" } } }, "HostConfig.LogConfig.Type"],
    [{ Env: [1] }, "Env must be a list of texts"],
    [{ HostConfig: { Memory: "1g" } }, "HostConfig.Memory must be a whole number"],
    [{ HostConfig: { RestartPolicy: { Name: "often" } } }, 'restart policy "often" is unknown'],
  ])("%j is refused by name", (body, message) => {
    expect(() => spec({ Image: "web", ...body })).toThrow(message);
  });

  test("a bind with a mode that there is not is refused", () => {
    expect(() => parseBind("/a:/b:rx")).toThrow('invalid mode "rx"');
    expect(() => parseBind("a:b:c:d")).toThrow("invalid volume specification");
  });
});

test("filters are read in both forms that clients write", () => {
  const query = new Query(new URLSearchParams({ filters: '{"label":["a=b"],"status":{"running":true}}' }));
  expect(query.filters()).toEqual({ label: ["a=b"], status: ["running"] });
  expect(() => new Query(new URLSearchParams({ filters: "{" })).filters()).toThrow("is not JSON");
});

test("output is framed with stream and length", () => {
  expect([...frame("stderr", Buffer.from("ab"))]).toEqual([2, 0, 0, 0, 0, 0, 0, 2, 97, 98]);
});

test("detach keys end a session; keys that only began them are typed after all", () => {
  const keys = new DetachKeys(parseDetachKeys(undefined));
  expect(keys.filter(Buffer.from([0x10]))).toEqual({ rest: Buffer.alloc(0), detached: false });
  expect(keys.filter(Buffer.from("a"))).toEqual({ rest: Buffer.from([0x10, 97]), detached: false });
  expect(keys.filter(Buffer.from([98, 0x10, 0x11, 99]))).toEqual({ rest: Buffer.from("b"), detached: true });
});

test("the status sentence says how long and how healthy", () => {
  const state = { pid: 1, exitCode: 0, oomKilled: false, error: "", restartCount: 0, stoppedByUser: false };
  const startedAt = "2026-01-01T00:00:00Z";
  const now_ms = Date.parse("2026-01-01T00:05:30Z");
  const health = { status: "healthy" as const, failingStreak: 0, log: [] };
  expect(statusText({ ...state, status: "running", startedAt, health }, now_ms)).toBe("Up 5 minutes (healthy)");
  expect(statusText({ ...state, status: "exited", exitCode: 3, finishedAt: startedAt }, now_ms)).toBe(
    "Exited (3) 5 minutes ago",
  );
});
