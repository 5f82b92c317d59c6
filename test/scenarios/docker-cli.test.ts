import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { DockerHost } from "./docker-fixture.ts";
import { until } from "./harness.ts";

let host: DockerHost;
beforeAll(async () => {
  host = await DockerHost.start();
});
afterEach(async () => {
  const ids = (await host.docker("ps", "-aq")).stdout.split("\n").filter(Boolean);
  if (ids.length > 0) await host.docker("rm", "-f", "-v", ...ids);
});
afterAll(() => host?.[Symbol.asyncDispose]());

test("docker version and info know the server", async () => {
  expect(await host.dockerOk("version", "--format", "{{.Server.APIVersion}}")).toBe("1.50");
  expect(await host.dockerOk("info", "--format", "{{.Swarm.LocalNodeState}} {{.OSType}}")).toBe("inactive linux");
});

test("docker run gives output, error output and exit code apart", async () => {
  expect(await host.docker("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7")).toEqual({
    code: 7,
    stdout: "out\n",
    stderr: "err\n",
  });
  expect((await host.docker("run", "--rm", "busybox", "no-such-program")).code).toBe(127);
  expect(await host.dockerOk("ps", "-aq")).toBe("");
});

test("docker run -i passes its input on, to the end", async () => {
  const input = "x".repeat(300_000);
  const { stdout } = await host.program("docker", ["run", "--rm", "-i", "busybox", "wc", "-c"], { input });
  expect(stdout.trim()).toBe("300000");
});

test("docker run -it gives a terminal, and its size", async () => {
  const line = "docker run --rm -it busybox sh -c 'tty; exit 3'";
  const { stdout, code } = await host.program("script", ["-qec", line, "/dev/null"]);
  expect(stdout).toMatch(/\/dev\/pts\/\d/);
  expect(code).toBe(3);
});

// The output of a very short exec on a terminal is lost now and then: a known fault of the attach socket, see docs/design/runtime.md.
test("docker exec -it runs a second program and gives its exit code", { retry: 3 }, async () => {
  await host.docker("rm", "-f", "box");
  await host.dockerOk("run", "-d", "--name", "box", "busybox", "sleep", "1000");
  const { stdout, code } = await host.program("script", [
    "-qec",
    "docker exec -it box sh -c 'tty; exit 4'",
    "/dev/null",
  ]);
  expect(stdout).toMatch(/\/dev\/pts\/\d/);
  expect(code).toBe(4);
  expect((await host.docker("exec", "box", "no-such-program")).code).toBe(127);
  const piped = await host.program("docker", ["exec", "-i", "box", "cat"], { input: "typed" });
  expect(piped.stdout).toBe("typed");
});

test("docker logs -f follows to the end", async () => {
  await host.dockerOk("run", "-d", "--name", "talker", "busybox", "sh", "-c", "echo one; sleep 0.5; echo two");
  expect(await host.dockerOk("logs", "-f", "talker")).toBe("one\ntwo");
  expect(await host.dockerOk("logs", "-t", "--tail", "1", "talker")).toMatch(/^\d{4}-\d\d-\d\dT.* two$/);
});

test("docker cp copies both ways, and says what is not there", async () => {
  await host.dockerOk("create", "--name", "files", "busybox", "true");
  writeFileSync(join(host.directory, "note"), "hello");
  await host.dockerOk("cp", "note", "files:/tmp/renamed");
  await host.dockerOk("cp", "files:/tmp/renamed", "back");
  expect(readFileSync(join(host.directory, "back"), "utf8")).toBe("hello");
  expect((await host.docker("cp", "files:/nothing", "x")).stderr).toContain("/nothing");
  expect(await host.dockerOk("diff", "files")).toContain("A /tmp/renamed");
});

test("docker build makes the image that its Dockerfile describes, and points at the line that fails", async () => {
  const context = join(host.directory, "context");
  mkdirSync(context);
  writeFileSync(join(context, "file"), "from the context");
  writeFileSync(
    join(context, "Dockerfile"),
    'FROM busybox\nARG WHO\nRUN echo "for $WHO" >/who\nCOPY file /file\nCMD cat /who /file\n',
  );
  const built = await host.dockerOk("build", "-t", "app:1", "--build-arg", "WHO=you", context);
  expect(built).toMatch(/Step 1\/\d : FROM busybox[\s\S]*Successfully built [0-9a-f]{12}\nSuccessfully tagged app:1/);
  expect(await host.dockerOk("run", "--rm", "app:1")).toBe("for you\nfrom the context");
  const id = await host.dockerOk("build", "-q", "--build-arg", "WHO=you", context);
  expect(await host.dockerOk("image", "inspect", "-f", "{{.Id}}", "app:1")).toBe(id);
  const failed = await host.program("docker", ["build", "-"], { input: "FROM busybox\nRUN exit 9\n" });
  expect(failed.code).toBe(9);
  expect(failed.stderr).toContain("RUN exit 9");
});

test("BuildKit's clients are told what to do", async () => {
  for (const path of ["/grpc", "/session", "/v1.41/build?version=2"]) {
    const { status, text } = await host.http("POST", path);
    expect([status, text]).toEqual([501, expect.stringContaining("DOCKER_BUILDKIT=0")]);
  }
});

test("docker save and load keep several images with their names", async () => {
  await host.dockerOk("tag", "busybox", "other:2");
  await host.dockerOk("save", "-o", "images.tar", "busybox", "other:2");
  await host.dockerOk("rmi", "other:2");
  expect(await host.dockerOk("load", "-i", "images.tar")).toContain("Loaded image: other:2");
  expect(await host.dockerOk("images", "-q", "other")).toMatch(/^[0-9a-f]{12}$/);
});

test("docker commit, export and import make images of containers", async () => {
  await host.dockerOk("run", "--name", "changed", "busybox", "sh", "-c", "echo kept >/kept");
  await host.dockerOk("commit", "-c", 'CMD ["cat","/kept"]', "changed", "committed:1");
  expect(await host.dockerOk("run", "--rm", "committed:1")).toBe("kept");
  await host.dockerOk("export", "-o", "root.tar", "changed");
  const imported = await host.program("docker", ["import", "-", "imported:1"], {
    input: readFileSync(join(host.directory, "root.tar")),
  });
  expect(imported.stdout).toMatch(/^sha256:[0-9a-f]{64}/);
  expect(await host.dockerOk("run", "--rm", "imported:1", "cat", "/kept")).toBe("kept");
});

test("docker network: containers of one find each other by name, and come and go", async () => {
  await host.dockerOk("network", "create", "--label", "a=b", "lan");
  await host.dockerOk(
    "run",
    "-d",
    "--name",
    "server",
    "--network",
    "lan",
    "--network-alias",
    "www",
    "busybox",
    "httpd",
    "-f",
    "-p",
    "80",
  );
  expect(await host.dockerOk("run", "--rm", "--network", "lan", "busybox", "nslookup", "www")).toContain("Address");
  expect(await host.dockerOk("network", "inspect", "-f", "{{range .Containers}}{{.Name}}{{end}}", "lan")).toBe(
    "server",
  );
  expect((await host.docker("network", "rm", "lan")).code).toBe(1);
  await host.dockerOk("network", "disconnect", "lan", "server");
  await host.dockerOk("network", "rm", "lan");
});

test("docker volume: data outlives its containers, and prune takes what nobody uses", async () => {
  await host.dockerOk("volume", "create", "data");
  await host.dockerOk("run", "--rm", "-v", "data:/data", "busybox", "sh", "-c", "echo kept >/data/file");
  expect(await host.dockerOk("run", "--rm", "-v", "data:/data:ro", "busybox", "cat", "/data/file")).toBe("kept");
  expect(await host.dockerOk("volume", "prune", "-f")).toContain("data");
  expect(await host.dockerOk("volume", "ls", "-q")).toBe("");
});

test("docker events tells what happens, as it happens and afterwards", async () => {
  const since = String(Math.floor(Date.now() / 1000) - 1);
  await host.dockerOk("run", "--rm", "--name", "eventful", "busybox", "true");
  const until_s = String(Math.floor(Date.now() / 1000) + 1);
  const past = await host.dockerOk(
    "events",
    "--since",
    since,
    "--until",
    until_s,
    "--filter",
    "container=eventful",
    "--format",
    "{{.Action}}",
  );
  expect(past.split("\n")).toEqual(expect.arrayContaining(["create", "start", "die", "destroy"]));
});

test("docker stats, top, inspect, update, rename, pause, kill and wait", async () => {
  await host.dockerOk("run", "-d", "--name", "one", "-m", "64m", "busybox", "sleep", "1000");
  expect(await host.dockerOk("stats", "--no-stream", "--format", "{{.MemUsage}}", "one")).toMatch(/ \/ 64MiB$/);
  expect(await host.dockerOk("top", "one")).toContain("sleep 1000");
  await host.dockerOk("update", "-m", "128m", "--memory-swap", "256m", "one");
  expect(await host.dockerOk("inspect", "-f", "{{.HostConfig.Memory}}", "one")).toBe(String(128 << 20));
  await host.dockerOk("rename", "one", "two");
  await host.dockerOk("pause", "two");
  expect(await host.dockerOk("ps", "--format", "{{.Status}}")).toContain("(Paused)");
  await host.dockerOk("unpause", "two");
  const waited = host.dockerOk("wait", "two");
  await host.dockerOk("kill", "two");
  expect(await waited).toBe("137");
});

test("a detached client leaves its container running", async () => {
  const child = spawn("docker", ["run", "--name", "left", "-i", "busybox", "sh", "-c", "echo up; sleep 1000"], {
    env: host.environment,
  });
  let seen = "";
  child.stdout.on("data", chunk => (seen += chunk));
  await until(() => seen.includes("up"), 20_000);
  child.kill("SIGKILL");
  expect(await host.dockerOk("inspect", "-f", "{{.State.Running}}", "left")).toBe("true");
  expect((await host.docker("start", "left")).code).toBe(0);
});

test("docker system df and prune", async () => {
  await host.dockerOk("run", "--name", "old", "busybox", "true");
  expect(await host.dockerOk("system", "df")).toMatch(/Images[\s\S]*Containers[\s\S]*Local Volumes[\s\S]*Build Cache/);
  expect(await host.dockerOk("system", "prune", "-f")).toContain("Deleted Containers:");
  expect(await host.dockerOk("ps", "-aq")).toBe("");
});
