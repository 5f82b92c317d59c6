import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";

/** One way of doing the thing that is measured. */
export interface Contender {
  name: string;
  /** Returns milliseconds when it measures by itself, else the call as a whole is timed. */
  run(round: number): Promise<number | undefined>;
  /** Untimed, before and after each run. */
  before?(round: number): Promise<void>;
  after?(round: number): Promise<void>;
}

export interface Comparison {
  title: string;
  rounds: number;
  /** The first is the peer that the others are held against. */
  contenders: Contender[];
  /** Largest median of the last contender over the first's. */
  bar?: number;
  unit?: string;
}

export interface Result {
  title: string;
  bar?: number;
  ratio?: number;
  held?: boolean;
}

/** Runs the contenders in turns, so that a noisy minute hits all of them, and prints one table. */
export async function compare({ title, rounds, contenders, bar, unit = "ms" }: Comparison): Promise<Result> {
  const samples = contenders.map(() => [] as number[]);
  // One untimed round fills caches for everybody.
  for (let round = -1; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      await contender.before?.(round);
      const start_ms = performance.now();
      const own = await contender.run(round);
      const spent = own ?? performance.now() - start_ms;
      await contender.after?.(round);
      if (round >= 0) samples[index]!.push(spent);
    }
  }
  const rows = samples.map(values => values.toSorted((a, b) => a - b));
  const median = (values: number[]) => values[Math.floor(values.length / 2)] ?? Number.NaN;
  const first = median(rows[0]!);
  console.log(`\n${title} (${rounds} interleaved rounds, ${unit})`);
  console.log(`  ${"".padEnd(26)}${["min", "median", "max", "ratio"].map(head => head.padStart(10)).join("")}`);
  for (const [index, values] of rows.entries()) {
    const cells = [values[0]!, median(values), values.at(-1)!].map(value =>
      value.toFixed(value < 10 ? 2 : 1).padStart(10),
    );
    console.log(
      `  ${contenders[index]!.name.padEnd(26)}${cells.join("")}${(median(values) / first).toFixed(2).padStart(10)}`,
    );
  }
  if (contenders.length < 2) return { title };
  const ratio = median(rows.at(-1)!) / first;
  if (bar === undefined) return { title, ratio };
  const held = ratio <= bar;
  console.log(`  bar: at most ${bar} of ${contenders[0]!.name}: ${held ? "held" : "MISSED"}`);
  return { title, ratio, bar, held };
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts a program and waits for its end; a failure is an error with what it wrote. */
export function execute(
  program: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; input?: string; allowFailure?: boolean; cwd?: string } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", chunk => (stdout += chunk));
    child.stderr.on("data", chunk => (stderr += chunk));
    child.once("error", reject);
    child.once("close", code => {
      if (code === 0 || options.allowFailure) resolve({ code, stdout, stderr });
      else reject(new Error(`${program} ${args.join(" ")} ended with ${code}: ${stderr || stdout}`));
    });
    child.stdin.end(options.input ?? "");
  });
}
