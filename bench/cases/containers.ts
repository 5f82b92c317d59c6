import { compare, type Result } from "../lib/measure.ts";
import type { Peer } from "../lib/peers.ts";

const together = (count: number, work: (index: number) => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

/** `run`, `run -d`, twenty at once, `exec`: what people type all day. */
export async function containerCases(docker: Peer, berth: Peer): Promise<Result[]> {
  const results: Result[] = [];
  const pair = (
    run: (peer: Peer, round: number) => Promise<unknown>,
    after?: (peer: Peer, round: number) => Promise<unknown>,
  ) =>
    [docker, berth].map(peer => ({
      name: peer.name,
      run: async (round: number) => void (await run(peer, round)),
      after: after === undefined ? undefined : async (round: number) => void (await after(peer, round)),
    }));

  results.push(
    await compare({
      title: "run --rm IMAGE true",
      rounds: 15,
      bar: 0.35,
      contenders: pair(peer => peer.cli("run", "--rm", "busybox", "true")),
    }),
  );
  results.push(
    await compare({
      title: "run -d IMAGE sleep",
      rounds: 15,
      bar: 0.4,
      contenders: pair(
        (peer, round) => peer.cli("run", "-d", "--name", `one${round}`, "busybox", "sleep", "1000"),
        (peer, round) => peer.cli("rm", "-f", `one${round}`),
      ),
    }),
  );
  const names = (round: number) => Array.from({ length: 20 }, (_, index) => `many${round}-${index}`);
  results.push(
    await compare({
      title: "20 containers started at once, 20 parallel run -d",
      rounds: 5,
      bar: 0.25,
      contenders: pair(
        (peer, round) =>
          together(20, index => peer.cli("run", "-d", "--name", names(round)[index]!, "busybox", "sleep", "1000")),
        (peer, round) => peer.cli("rm", "-f", ...names(round)),
      ),
    }),
  );
  results.push(
    await compare({
      title: "stop and remove of 20 containers (rm -f of all)",
      rounds: 5,
      bar: 0.4,
      contenders: [docker, berth].map(peer => ({
        name: peer.name,
        before: async round =>
          void (await together(20, index =>
            peer.cli("run", "-d", "--name", names(round)[index]!, "busybox", "sleep", "1000"),
          )),
        run: async round => void (await peer.cli("rm", "-f", ...names(round))),
      })),
    }),
  );
  for (const peer of [docker, berth]) await peer.cli("run", "-d", "--name", "steady", "busybox", "sleep", "10000");
  results.push(
    await compare({
      title: "exec CONTAINER true",
      rounds: 15,
      bar: 0.5,
      contenders: pair(peer => peer.cli("exec", "steady", "true")),
    }),
  );
  for (const peer of [docker, berth]) await peer.cli("rm", "-f", "steady");
  return results;
}
