import fc from "fast-check";
import { expect, it } from "vitest";
import { advance, hasEnded, stateRank, type TaskStatus, taskStates } from "./task.ts";

const first: TaskStatus = { id: "t", state: "accepted", message: "", at_ms: 0, life: [] };

it("moves a task forward only, and remembers a bounded life", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...taskStates), { maxLength: 60 }), states => {
      let status = first;
      for (const [index, state] of states.entries()) {
        const back = stateRank(state) < stateRank(status.state);
        const move = () => advance(status, { state, message: `step ${index}`, at_ms: index });
        if (back) expect(move).toThrow(/would go back/);
        else status = move();
        expect(stateRank(status.state)).toBeGreaterThanOrEqual(stateRank(first.state));
        expect(status.life.length).toBeLessThanOrEqual(24);
        expect(status.life.map(({ at_ms }) => at_ms)).toEqual(
          [...status.life.map(({ at_ms }) => at_ms)].sort((a, b) => a - b),
        );
      }
    }),
  );
});

it("takes complete and everything after it as an end", () => {
  expect(taskStates.filter(hasEnded)).toEqual(["complete", "shutdown", "failed", "rejected", "removed", "orphaned"]);
});
