import { createConnection } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DockerHost } from "./docker-fixture.ts";
import { until } from "./harness.ts";

let host: DockerHost;
beforeAll(async () => {
  host = await DockerHost.start();
});
afterAll(() => host?.[Symbol.asyncDispose]());

/** A program of its own, as a test suite is one: what it leaves is left when it ends. */
const program = (body: string) => `
import { GenericContainer, Network, Wait } from "testcontainers";
const network = await new Network().start();
const container = await new GenericContainer("busybox")
  .withCommand(["sh", "-c", "echo ready; exec httpd -f -p 8080 -h /etc"])
  .withExposedPorts(8080).withNetwork(network)
  .withWaitStrategy(Wait.forAll([Wait.forListeningPorts(), Wait.forLogMessage("ready"), Wait.forHttp("/passwd", 8080)]))
  .start();
const { output, exitCode } = await container.exec(["sh", "-c", "echo inside"]);
const page = await (await fetch("http://" + container.getHost() + ":" + container.getMappedPort(8080) + "/passwd")).text();
console.log(JSON.stringify({ output, exitCode, page: page.includes("root:") }));
${body}
process.exit(0);
`;

test("Testcontainers starts a container, waits for it, and its session is cleaned up when it has gone", async () => {
  // Where the tests themselves run in a container, it would take the bridge's gateway for the host.
  host.environment["TESTCONTAINERS_HOST_OVERRIDE"] = "127.0.0.1";
  host.environment["TESTCONTAINERS_RYUK_RECONNECTION_TIMEOUT"] = "1s";
  const { stdout, stderr } = await host.program(process.execPath, ["--input-type=module", "-e", program("")], {
    cwd: import.meta.dirname,
  });
  expect([stdout.trim(), stderr]).toEqual(['{"output":"inside\\n","exitCode":0,"page":true}', ""]);
  // It stopped nothing itself.
  await until(async () => (await host.dockerOk("ps", "-aq")) === "", 20_000);
  await until(async () => (await host.dockerOk("network", "ls", "-q", "--filter", "type=custom")) === "", 20_000);
});

test("Ryuk's protocol: what a client names is removed when it leaves, and nothing else", async () => {
  await host.dockerOk("run", "-d", "--name", "named", "--label", "session=1", "busybox", "sleep", "1000");
  await host.dockerOk("run", "-d", "--name", "other", "--label", "session=2", "busybox", "sleep", "1000");
  await host.dockerOk("volume", "create", "--label", "session=1", "named");
  const ryuk = ["run", "-d", "-p", "8080", "-e", "RYUK_RECONNECTION_TIMEOUT=100ms", "testcontainers/ryuk:0.14.0"];
  const id = await host.dockerOk(...ryuk);
  const port = Number((await host.dockerOk("port", id, "8080")).split(":").at(-1));
  const client = createConnection(port, "127.0.0.1");
  let answer = "";
  client.on("data", chunk => (answer += chunk));
  client.write("label=session%3D1\n\n");
  await until(() => answer === "ACK\nERROR\n");
  expect(await host.dockerOk("ps", "--format", "{{.Names}}", "--filter", "label=session=1")).toBe("named");
  client.end();
  await until(async () => !(await host.dockerOk("ps", "-a", "--format", "{{.Names}}")).includes("named"), 20_000);
  expect(await host.dockerOk("ps", "--format", "{{.Names}}")).toContain("other");
  await until(async () => (await host.dockerOk("volume", "ls", "-q")) === "");
});
