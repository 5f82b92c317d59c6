import { describe, expect, it } from "vitest";
import type { ImageRunConfig } from "../../model/image.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import { planBuild } from "./plan.ts";
import { printedGraph } from "./print.ts";
import type { PlanInput } from "./stage-state.ts";
import type { BuildPlan, CopyStep, RunStep } from "./steps.ts";

const host = { os: "linux", architecture: "amd64" };
const busybox: ImageRunConfig = { Env: ["PATH=/bin", "BASE=b"], Cmd: ["sh"] };

function input(text: string, rest: Partial<PlanInput> = {}): PlanInput {
  const file = parseDockerfile(text);
  return { file, args: {}, contexts: new Map(), host, platform: host, network: "default", labels: {}, ...rest };
}

function plan(
  text: string,
  rest: Partial<PlanInput> = {},
  bases: Record<string, ImageRunConfig> = { busybox },
): BuildPlan {
  const planned = planBuild(input(text, rest), new Map(Object.entries(bases)));
  if (planned.kind === "missing") throw new Error(`missing ${planned.images.join(" ")}`);
  return planned.plan;
}

const last = (text: string, rest: Partial<PlanInput> = {}) => plan(text, rest).stages.at(-1)!;

describe("stages", () => {
  const four = "FROM busybox AS a\nFROM busybox AS b\nFROM busybox AS unused\nFROM a\nCOPY --from=b /x /y\n";

  it("needs what the target stands on and copies from, and skips the rest", () => {
    const made = plan(four);
    expect(made.stages.map(stage => stage.name)).toEqual(["a", "b", "3"]);
    expect(made.stages.at(-1)!.needs).toEqual([0, 1]);
    expect(made.skipped).toEqual([{ index: 2, name: "unused" }]);
  });

  it("stops at the target", () => {
    expect(plan(four, { target: "B" }).stages.map(stage => stage.name)).toEqual(["b"]);
  });

  it("names the stage that was meant", () => {
    expect(() => plan(four, { target: "unusd" })).toThrow(expect.objectContaining({ hint: "did you mean unused?" }));
  });

  it("asks for all images that it has to know, at once", () => {
    const text = "ARG V=1\nFROM one:$V AS a\nRUN --mount=from=two,target=/t x\nFROM a\nCOPY --from=three x y\n";
    expect(planBuild(input(text), new Map())).toEqual({ kind: "missing", images: ["one:1", "two", "three"] });
  });

  it("refuses a stage that comes later, and another platform", () => {
    expect(() => plan("FROM busybox\nCOPY --from=late a b\nFROM busybox AS late\nFROM 0", { target: "0" })).toThrow(
      "does not come before",
    );
    expect(() => plan("FROM --platform=linux/arm64 busybox")).toThrow("the stage wants linux/arm64");
  });

  it("lets a named context stand for an image or a stage", () => {
    const made = plan("FROM base\nCOPY --from=lib x y", {
      contexts: new Map([
        ["base", { image: "busybox" }],
        ["lib", {}],
      ]),
    });
    expect(made.stages[0]!.base).toEqual({ kind: "image", reference: "busybox" });
    expect((made.stages[0]!.steps[0] as CopyStep).from).toEqual({ kind: "context", name: "lib" });
  });
});

describe("variables", () => {
  it("ARG before FROM serves FROM, and a stage only when it declares it again", () => {
    const stage = last("ARG V=1\nFROM busybox\nENV a=$V\nARG V\nENV b=$V");
    expect(stage.config.Env).toEqual(["PATH=/bin", "BASE=b", "a=", "b=1"]);
  });

  it("a build argument beats defaults, ENV beats ARG", () => {
    const stage = last("FROM busybox\nARG x=1\nENV a=$x\nENV x=3\nENV b=$x\nARG BASE=no\nENV c=$BASE", {
      args: { x: "2" },
    });
    expect(stage.config.Env).toEqual(["PATH=/bin", "BASE=b", "a=2", "x=3", "b=3", "c=b"]);
  });

  it("RUN gets arguments and environment; proxies reach it without ARG and stay out of history", () => {
    const run = last("FROM busybox\nARG x=1\nENV y=2\nRUN make", { args: { HTTP_PROXY: "http://p" } }).steps.at(
      -1,
    ) as RunStep;
    expect(run.env).toEqual(["x=1", "PATH=/bin", "BASE=b", "y=2"]);
    expect(run.proxyEnv).toEqual(["HTTP_PROXY=http://p"]);
    expect(run.createdBy).toBe("RUN |1 x=1 /bin/sh -c make");
  });

  it("knows the platform arguments", () => {
    expect(last("FROM busybox\nARG TARGETARCH\nARG TARGETSTAGE\nENV a=$TARGETARCH-$TARGETSTAGE").config.Env).toContain(
      "a=amd64-default",
    );
    expect(last("FROM --platform=$BUILDPLATFORM busybox").platform).toEqual(host);
  });

  it("the values of one ENV line see the variables from before it", () => {
    expect(last("FROM busybox\nENV a=1\nENV a=2 b=$a").config.Env!.slice(2)).toEqual(["a=2", "b=1"]);
  });

  it("warns of unset variables and of arguments that nobody takes", () => {
    const made = plan("FROM busybox\nENV a=$oops", { args: { typo: "1" } });
    expect(made.warnings.map(warning => warning.message)).toEqual([
      "the variable $oops is not set here",
      "no ARG takes the build argument typo",
    ]);
  });

  it("points at a bad substitution", () => {
    expect(() => plan("FROM busybox\nENV a=${b^^}")).toThrow(/^Dockerfile:2:10: '\^' is no substitution operator/);
  });
});

describe("configuration", () => {
  it("collects everything that containers get", () => {
    const stage = last(
      [
        'FROM busybox\nSHELL ["/bin/ash", "-c"]\nWORKDIR /a\nWORKDIR b/../c\nUSER 1:2\nEXPOSE 80 53/udp 90-91\nVOLUME /v /w',
        'LABEL l="1 2"\nSTOPSIGNAL SIGQUIT\nHEALTHCHECK --interval=5s CMD true\nCMD echo $x\nMAINTAINER me\nONBUILD RUN x',
      ].join("\n"),
      { labels: { extra: "y" } },
    );
    expect(stage.author).toBe("me");
    expect(stage.config).toEqual({
      Env: ["PATH=/bin", "BASE=b"],
      Cmd: ["/bin/ash", "-c", "echo $x"],
      Shell: ["/bin/ash", "-c"],
      WorkingDir: "/a/c",
      User: "1:2",
      ExposedPorts: { "80/tcp": {}, "53/udp": {}, "90/tcp": {}, "91/tcp": {} },
      Volumes: { "/v": {}, "/w": {} },
      Labels: { l: "1 2", extra: "y" },
      StopSignal: "SIGQUIT",
      Healthcheck: expect.objectContaining({ Test: ["CMD-SHELL", "true"], Interval: 5e9 }),
      OnBuild: ["RUN x"],
    });
  });

  it("ENTRYPOINT drops the base's CMD, and keeps the stage's own", () => {
    expect(last('FROM busybox\nENTRYPOINT ["a"]').config.Cmd).toBeUndefined();
    expect(last('FROM busybox\nCMD ["b"]\nENTRYPOINT ["a"]').config.Cmd).toEqual(["b"]);
  });

  it("runs the triggers of the base image first, and does not inherit them", () => {
    const base = { ...busybox, OnBuild: ["ENV t=1", "RUN echo $t"] };
    const made = plan("FROM busybox\nENV u=2", {}, { busybox: base }).stages[0]!;
    expect(made.steps.map(step => step.text)).toEqual(["ENV t=1", "RUN echo $t", "ENV u=2"]);
    expect(made.config.OnBuild).toBeUndefined();
  });

  it.each([
    ["EXPOSE 70000", "'70000' is no port"],
    ["STOPSIGNAL SIGFOO", "'SIGFOO' is no signal"],
    ["COPY a b c", "must be a directory"],
    ["WORKDIR $nothing", "WORKDIR is empty"],
  ])("refuses %s", (line, message) => {
    expect(() => plan(`FROM busybox\n${line}`)).toThrow(message);
  });
});

it("prints the resolved graph", () => {
  const graph = printedGraph(plan('FROM busybox AS a\nRUN x\nFROM scratch\nCOPY --from=a /x /\nCMD ["/x"]'));
  expect(graph).toMatchObject({
    target: "1",
    stages: [
      { name: "a", base: "busybox", needs: [], needed: true, steps: [{ line: 2, makesLayer: true }] },
      {
        name: "1",
        base: "scratch",
        needs: ["a"],
        steps: [{ instruction: "COPY --from=a /x /", needs: ["stage a"] }, { makesLayer: false }],
      },
    ],
  });
});
