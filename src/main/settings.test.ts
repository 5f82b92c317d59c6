import { expect, test } from "vitest";
import { readSettings, settingsAsFlags } from "./settings.ts";

test("options before the command beat the environment, and what follows the command is left alone", () => {
  const { settings, rest } = readSettings(["--root", "/a", "--instance=t1", "ps", "--root", "x"], {
    BERTH_ROOT: "/b",
    BERTH_RUN: "/c",
  });
  expect(settings).toEqual({ root: "/a", run: "/c", instance: "t1", debug: false });
  expect(rest).toEqual(["ps", "--root", "x"]);
});

test("an instance has directories of its own, and settings survive being passed on", () => {
  const { settings } = readSettings(["--instance", "two", "ps"], {});
  expect(settings).toMatchObject({ root: "/var/lib/berth-two", run: "/run/berth-two" });
  expect(readSettings([...settingsAsFlags(settings), "ps"], {}).settings).toEqual(settings);
});

test("a name that would not fit into a kernel's interface name is refused", () => {
  expect(() => readSettings(["--instance", "Not/Good", "ps"], {})).toThrow(/instance name/);
  expect(() => readSettings(["--root"], {})).toThrow(/needs a value/);
});
