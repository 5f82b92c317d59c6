import { compare, type Result } from "../lib/measure.ts";
import { memoryOf, type Peer, processesMatching } from "../lib/peers.ts";

const MB = 1e6;

/** Memory of the daemons, and of what each running container costs beside its own process. */
export async function memoryCases(docker: Peer, berth: Peer): Promise<Result[]> {
  const idle = memoryOf(berth.pids()) / MB;
  console.log(
    `\nMemory of the idle daemons (proportional set size, MB)\n  ${"docker (+ containerd)".padEnd(26)}${(memoryOf(docker.pids()) / MB).toFixed(1).padStart(10)}`,
  );
  console.log(
    `  ${"berthd".padEnd(26)}${idle.toFixed(1).padStart(10)}\n  bar: berthd under 90 MB: ${idle < 90 ? "held" : "MISSED"}`,
  );
  const count = 10;
  for (const peer of [docker, berth]) {
    for (let index = 0; index < count; index++)
      await peer.cli("run", "-d", "--name", `mem${index}`, "busybox", "sleep", "1000");
  }
  const monitors = { docker: processesMatching(/containerd-shim/), berth: processesMatching(/conmon .*bench/) };
  const perContainer = await compare({
    title: `Memory for each of ${count} running containers, monitor and all`,
    rounds: 1,
    bar: 1 / 3,
    unit: "MB",
    contenders: (["docker", "berth"] as const).map(name => ({
      name,
      run: async () => memoryOf(monitors[name]) / count / MB,
    })),
  });
  for (const peer of [docker, berth])
    await peer.cli("rm", "-f", ...Array.from({ length: count }, (_, index) => `mem${index}`));
  return [{ title: "berthd idle, MB", bar: 90, ratio: idle, held: idle < 90 }, perContainer];
}
