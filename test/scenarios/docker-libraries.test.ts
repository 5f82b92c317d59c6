import { once } from "node:events";
import { createConnection } from "node:net";
import Docker from "dockerode";
import { pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DockerHost } from "./docker-fixture.ts";
import { until } from "./harness.ts";

let host: DockerHost;
let docker: Docker;
beforeAll(async () => {
  host = await DockerHost.start();
  docker = new Docker({ socketPath: host.socket });
});
afterAll(() => host?.[Symbol.asyncDispose]());

describe("dockerode", () => {
  test("runs a container over a hijacked attach, with input", async () => {
    const container = await docker.createContainer({
      Image: "busybox",
      Cmd: ["cat"],
      OpenStdin: true,
      StdinOnce: true,
      Tty: false,
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
    const chunks: Buffer[] = [];
    stream.on("data", chunk => chunks.push(chunk));
    await container.start();
    stream.end("typed");
    await container.wait();
    await until(() => Buffer.concat(chunks).toString().includes("typed"));
    expect([...Buffer.concat(chunks).subarray(0, 8)]).toEqual([1, 0, 0, 0, 0, 0, 0, 5]);
    await container.remove();
  });

  test("runs a program in a container the old way, without Upgrade", async () => {
    const container = await docker.createContainer({ Image: "busybox", Cmd: ["sleep", "1000"] });
    await container.start();
    const exec = await container.exec({
      Cmd: ["sh", "-c", "echo out; echo err >&2; exit 6"],
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ stdin: true, Detach: false, Tty: false });
    const chunks: Buffer[] = [];
    stream.on("data", chunk => chunks.push(chunk));
    await once(stream, "end");
    expect(Buffer.concat(chunks).toString("latin1")).toContain("out\n");
    expect((await exec.inspect()).ExitCode).toBe(6);
    await container.remove({ force: true });
  });

  test("gets the statuses that clients switch on", async () => {
    await expect(docker.getContainer("nosuch").inspect()).rejects.toMatchObject({
      statusCode: 404,
      json: { message: expect.stringContaining("No such container: nosuch") },
    });
    await expect(docker.getImage("nosuch").inspect()).rejects.toMatchObject({
      statusCode: 404,
      json: { message: expect.stringContaining("No such image: nosuch") },
    });
    const container = await docker.createContainer({ Image: "busybox", Cmd: ["sleep", "1000"], name: "taken" });
    await container.start();
    await expect(container.start()).rejects.toMatchObject({ statusCode: 304 });
    await expect(container.remove()).rejects.toMatchObject({ statusCode: 409 });
    await expect(docker.createContainer({ Image: "busybox", name: "taken" })).rejects.toMatchObject({
      statusCode: 409,
    });
    await container.stop({ t: 0 });
    await expect(container.stop()).rejects.toMatchObject({ statusCode: 304 });
    await container.remove();
    await expect(docker.listServices()).rejects.toMatchObject({ statusCode: 503 });
    await expect(
      docker.createContainer({ Image: "busybox", HostConfig: { DeviceRequests: [{ Count: 1 }] } }),
    ).rejects.toMatchObject({ statusCode: 501 });
  });

  test("reads statistics with those before, events and the list by filters", async () => {
    const container = await docker.createContainer({ Image: "busybox", Cmd: ["sleep", "1000"], Labels: { who: "me" } });
    await container.start();
    const stats = await container.stats({ stream: false });
    expect(stats.cpu_stats.system_cpu_usage).toBeGreaterThan(stats.precpu_stats.system_cpu_usage);
    const found = await docker.listContainers({ filters: { label: ["who=me"], status: ["running"] } });
    expect(found.map(({ Id, State }) => [Id, State])).toEqual([[container.id, "running"]]);
    await container.remove({ force: true });
  });

  test("builds from a tar, and follows the build", async () => {
    const tar = pack();
    tar.entry({ name: "Dockerfile" }, "FROM busybox\nRUN echo working\n");
    tar.finalize();
    const stream = await docker.buildImage(tar as unknown as NodeJS.ReadableStream, { t: "tarred" });
    const lines: { stream?: string; aux?: { ID: string } }[] = await new Promise((resolve, reject) =>
      docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output))),
    );
    expect(lines.some(line => line.stream?.includes("working"))).toBe(true);
    expect(lines.find(line => line.aux)?.aux?.ID).toMatch(/^sha256:/);
  });
});

test("python3-docker runs, builds, reads archives and removes", async () => {
  const program = `
import docker, io, tarfile
client = docker.from_env()
assert client.ping()
assert client.containers.run("busybox", ["echo", "hello"], remove=True) == b"hello\\n"
try:
    client.containers.run("busybox", ["sh", "-c", "exit 3"], remove=True)
    assert False
except docker.errors.ContainerError as e:
    assert e.exit_status == 3
try:
    client.images.get("nosuch")
    assert False
except docker.errors.ImageNotFound:
    pass
box = client.containers.run("busybox", ["sleep", "1000"], detach=True, name="py", ports={"80/tcp": None})
assert box.exec_run(["sh", "-c", "echo in; exit 2"]) == (2, b"in\\n")
bits, stat = box.get_archive("/etc/passwd")
assert stat["name"] == "passwd" and tarfile.open(fileobj=io.BytesIO(b"".join(bits))).getnames() == ["passwd"]
assert box.stats(stream=False)["memory_stats"]["usage"] > 0
assert box.logs() == b""
image, log = client.images.build(fileobj=io.BytesIO(b"FROM busybox\\nRUN true\\n"), tag="py:1")
assert "py:1" in image.tags
net = client.networks.create("pynet"); net.connect(box); net.reload()
assert [c.name for c in net.containers] == ["py"]
net.disconnect(box); net.remove()
box.remove(force=True)
assert client.volumes.create("pyvol").name == "pyvol"
client.volumes.get("pyvol").remove()
print("passed")
`;
  const { stdout, stderr } = await host.program("/usr/bin/python3", ["-c", program]);
  expect(stderr).toBe("");
  expect(stdout).toBe("passed\n");
});

describe("whoever misbehaves", () => {
  const raw = async (text: string) => {
    const socket = createConnection(host.socket);
    socket.write(text);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };

  test.each([
    ["malformed HTTP", "NONSENSE\r\n\r\n", "400"],
    ["a header of 100 kB", `GET /info HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(100_000)}\r\n\r\n`, "431"],
    [
      "a body that is not JSON",
      "POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\n{x}",
      "400",
    ],
    ["a malformed escape", "GET /containers/%zz/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"],
    ["a path that there is not", "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"],
  ])("%s is answered with an error", async (_, text, status) => {
    expect(await raw(text)).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*"message":`));
  });

  test("a body that is too large is refused", async () => {
    const { status } = await host
      .http("POST", "/containers/create", `{"x":"${"y".repeat(9 << 20)}"}`)
      .catch(() => ({ status: 400 }));
    expect(status).toBe(400);
  });

  test("a build whose context is no tar fails, and the server goes on", async () => {
    const { text } = await host.http("POST", "/build", "this is no tar at all".repeat(100));
    expect(text).toContain('"errorDetail"');
    expect((await host.http("GET", "/_ping")).text).toBe("OK");
  });

  test("a build whose client vanishes is cancelled", async () => {
    const before = (await docker.listImages({ all: true })).length;
    const tar = pack();
    tar.entry({ name: "Dockerfile" }, "FROM busybox\nRUN echo begun; sleep 1234\n");
    tar.finalize();
    const stream = (await docker.buildImage(tar as unknown as NodeJS.ReadableStream, {})) as NodeJS.ReadableStream & {
      destroy(): void;
    };
    let seen = "";
    stream.on("data", chunk => (seen += chunk));
    stream.on("error", () => undefined);
    await until(() => seen.includes("begun\\n"), 20_000);
    stream.destroy();
    await until(async () => (await host.program("pgrep", ["-f", "^sleep 1234$"])).stdout === "", 10_000);
    expect((await docker.listImages({ all: true })).length).toBe(before);
  });

  test("200 clients at once are all served", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => host.http("GET", "/v1.41/containers/json?all=1")),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(200);
  });
});
