import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { UpdateOrder } from "../../src/model/deploy.ts";
import { appOf } from "../../src/testing/apps.ts";
import { type AppsHost, all, makeAppsHost } from "./apps-fixture.ts";
import { freePort } from "./registry-program.ts";

/** A web server that serves its COLOUR only some time after it started. */
const script = 'mkdir /www; sleep 1; echo "$COLOUR" > /www/index.html; exec httpd -f -p 80 -h /www';

describe("a rolling update of a service with a published port", () => {
  let at: AppsHost;
  beforeAll(async () => {
    at = await makeAppsHost();
  });
  afterAll(() => at[Symbol.asyncDispose]());

  it.each<[UpdateOrder, number]>([
    ["start-first", 1],
    ["stop-first", 2],
  ])("%s with %i tasks loses no request", { timeout: 90_000 }, async (order, replicas) => {
    const port = await freePort();
    const up = (COLOUR: string) => {
      const web = {
        image: "busybox",
        command: ["sh", "-c", script],
        environment: { COLOUR },
        init: true,
        healthCheck: {
          test: ["CMD", "wget", "-qO", "-", "http://127.0.0.1/"],
          interval_ms: 200,
          startPeriod_ms: 30_000,
          startInterval_ms: 200,
        },
        ports: [{ containerPort: 80, hostPort: port, protocol: "tcp" as const, mode: "ingress" as const }],
        deploy: { mode: "replicated" as const, replicas, labels: {}, updateConfig: { order } },
      };
      return all(at.berthd.apps.up(appOf("web", { web }), { wait: "healthy", timeout_ms: 60_000 }));
    };
    await up("blue");
    const stop = new AbortController();
    const hammering = Promise.all([1, 2, 3, 4].map(() => hammer(port, stop.signal)));
    await up("green");
    stop.abort();
    const answers = (await hammering).flat();
    expect(answers.length).toBeGreaterThan(100);
    expect(new Set(answers)).toEqual(new Set(["blue\n", "green\n"]));
    expect(answers.at(-1)).toBe("green\n");
    const tasks = await at.berthd.apps.ps("web");
    expect(tasks.map(({ ports }) => ports.some(({ hostPort }) => hostPort === port))).toEqual(
      Array(replicas).fill(true),
    );
    await all(at.berthd.apps.down("web", { timeout_ms: 60_000, stopTimeout_ms: 1000 }));
  });
});

/** Asks again and again, each time on a new connection; failures are among the answers. */
async function hammer(port: number, signal: AbortSignal): Promise<string[]> {
  const answers: string[] = [];
  while (!signal.aborted) answers.push(await ask(port));
  return answers;
}

function ask(port: number): Promise<string> {
  return new Promise(resolve => {
    const request = get({ host: "127.0.0.1", port, agent: false, timeout: 5000 }, response => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("end", () => resolve(text));
      response.once("error", error => resolve(`failed: ${error.message}`));
    });
    request.once("timeout", () => request.destroy(new Error("no answer in 5 s")));
    request.once("error", error => resolve(`failed: ${error.message}`));
  });
}
