import { expect, test } from "vitest";
import { DetachWatcher, parseDetachKeys } from "./terminal.ts";

test("the detach sequence is found also when it comes in pieces, and stray keys pass", () => {
  const watcher = new DetachWatcher(parseDetachKeys("ctrl-p,ctrl-q"));
  expect(watcher.push(Buffer.from("ls\x10"))).toEqual({ pass: Buffer.from("ls"), detached: false });
  expect(watcher.push(Buffer.from("x"))).toEqual({ pass: Buffer.from("\x10x"), detached: false });
  expect(watcher.push(Buffer.from("\x10")).detached).toBe(false);
  expect(watcher.push(Buffer.from("\x11rest"))).toEqual({ pass: Buffer.alloc(0), detached: true });
});

test("other keys can be chosen, and nonsense is refused", () => {
  expect(parseDetachKeys("ctrl-x,q")).toEqual(Buffer.from([24, 113]));
  expect(() => parseDetachKeys("escape")).toThrow(/"escape" is no key/);
});
