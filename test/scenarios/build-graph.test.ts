import { afterAll, beforeAll, expect, test } from "vitest";
import { BuildFixture } from "./build-fixture.ts";

let fixture: BuildFixture;
beforeAll(async () => {
  fixture = await BuildFixture.make();
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

const stages = [
  "FROM busybox AS one\nRUN echo 1 > /out && sleep 0.5",
  "FROM busybox AS two\nRUN echo 2 > /out && sleep 0.5",
  "FROM busybox AS unused\nRUN exit 1",
  "FROM scratch AS last\nCOPY --from=one /out /1\nCOPY --from=two /out /2",
].join("\n");

test("independent stages run side by side, those nobody needs not at all", async () => {
  const { events } = await fixture.build(stages);
  const times = (name: string, state: string) =>
    events.find(event => event.kind === "state" && event.state === state && event.vertex.name.includes(name))!.time_ms;
  expect(times("RUN echo 2", "started")).toBeLessThan(times("RUN echo 1", "done"));
  expect(events.some(event => event.kind === "state" && event.vertex.name.includes("exit 1"))).toBe(false);
});

test("no more steps run at once than allowed", async () => {
  const { events } = await fixture.build(stages, { parallelism: 1, noCache: true });
  const logs = events.flatMap(event =>
    event.kind === "state" && event.state === "done" && event.vertex.name.includes("RUN") ? [event.time_ms] : [],
  );
  expect(logs).toHaveLength(2);
  expect(Math.abs(logs[1]! - logs[0]!)).toBeGreaterThan(400);
});

test("--target builds up to a stage; --print shows the graph and runs nothing", async () => {
  const { ran } = await fixture.build(stages, { target: "two", noCache: true });
  expect(ran.filter(name => name.startsWith("RUN"))).toEqual(["RUN echo 2 > /out && sleep 0.5"]);
  const printed = await fixture.builder.print({ context: { kind: "empty" }, dockerfile: { text: stages } });
  expect(printed.stages.map(({ name, needed, needs }) => ({ name, needed, needs }))).toEqual([
    { name: "one", needed: true, needs: [] },
    { name: "two", needed: true, needs: [] },
    { name: "unused", needed: false, needs: [] },
    { name: "last", needed: true, needs: ["one", "two"] },
  ]);
});

test("a failing stage stops the others at once", async () => {
  const text = "FROM busybox AS slow\nRUN sleep 30\nFROM busybox\nRUN sleep 0.1 && exit 7\nCOPY --from=slow /x /\n";
  await expect(fixture.build(text)).rejects.toMatchObject({ details: { exitCode: 7, line: 4 } });
  expect(await fixture.leftovers()).toEqual([]);
});

test("progress tells each step with its stage, number, line, state and output", async () => {
  const { events } = await fixture.build("FROM busybox AS b\nENV a=b\nRUN echo hello # $RANDOM\n", { noCache: true });
  const states = events.flatMap(event =>
    event.kind === "state"
      ? [`${event.vertex.step ?? ""}/${event.vertex.steps ?? ""} ${event.vertex.name} ${event.state}`]
      : [],
  );
  expect(states).toEqual([
    "1/3 [b] FROM busybox AS b started",
    "1/3 [b] FROM busybox AS b cached",
    "2/3 [b 1/2] ENV a=b started",
    "2/3 [b 1/2] ENV a=b done",
    "3/3 [b 2/2] RUN echo hello # $RANDOM started",
    "3/3 [b 2/2] RUN echo hello # $RANDOM done",
    "/ export image started",
    "/ export image done",
  ]);
  const log = events.find(event => event.kind === "log");
  expect(log).toMatchObject({ vertexId: "0.2", stream: "stdout", data: Buffer.from("hello\n") });
});

test("two processes build the same at once", async () => {
  const text = "FROM busybox\nRUN sleep 0.2 && echo same > /s\nCOPY <<EOF /t\nt\nEOF\n";
  const [first, second] = await Promise.all([fixture.build(text), fixture.build(text, {}, fixture.open())]);
  expect(first.steps).toBe(second.steps);
  expect(await fixture.leftovers()).toEqual([]);
});

test("another platform is refused with what to do", async () => {
  await expect(
    fixture.build("FROM scratch\n", { platform: { os: "linux", architecture: "s390x" } }),
  ).rejects.toMatchObject({ code: "unsupported" });
});

test("history tells what made each layer", async () => {
  await fixture.build("FROM busybox\nARG who=me\nRUN echo $who > /w\nLABEL x=y\nWORKDIR /srv\nWORKDIR /srv\n", {
    tags: ["history"],
  });
  const { config } = await fixture.images.get("history");
  const own = config.history!.slice(-5);
  expect(own.map(entry => [entry.created_by, entry.empty_layer ?? false])).toEqual([
    ["ARG who=me", true],
    ["RUN |1 who=me /bin/sh -c echo $who > /w", false],
    ["LABEL x=y", true],
    ["WORKDIR /srv", false],
    ["WORKDIR /srv", true],
  ]);
  expect(config.history!.filter(entry => !entry.empty_layer)).toHaveLength(config.rootfs.diff_ids.length);
});
