import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { daemonSettings, daemonSettingsPath, takeDaemonFlags } from "./daemon-settings.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "berth-settings-"));
});
afterEach(() => rmSync(root, { recursive: true }));
const write = (text: string, mode = 0o600) => {
  writeFileSync(daemonSettingsPath(root), text);
  chmodSync(daemonSettingsPath(root), mode);
};

test("apps run nothing on the host, and the key is in its file, unless the host's owner says otherwise", () => {
  expect(daemonSettings({}, {}, root)).toEqual({ allowHostHooks: false });
  write('{"allow_host_hooks": true, "store_key_command": "from file"}');
  expect(daemonSettings({}, {}, root)).toEqual({ allowHostHooks: true, storeKeyCommand: "from file" });
  const environment = { BERTH_STORE_KEY_COMMAND: "from environment" };
  expect(daemonSettings({}, environment, root).storeKeyCommand).toBe("from environment");
  const { flags, rest } = takeDaemonFlags(["--root", "/a", "--store-key-command=pass show a=b", "--allow-host-hooks"]);
  expect(rest).toEqual(["--root", "/a"]);
  expect(daemonSettings(flags, environment, root)).toEqual({ allowHostHooks: true, storeKeyCommand: "pass show a=b" });
});

test("a settings file that others may write, or that says what berthd does not know, is refused", () => {
  write("{}", 0o666);
  expect(() => daemonSettings({}, {}, root)).toThrow(/others than its owner/);
  write('{"allow_hooks": true}');
  expect(() => daemonSettings({}, {}, root)).toThrow(/"allow_hooks" is not a setting/);
  write("nonsense");
  expect(() => daemonSettings({}, {}, root)).toThrow(/not JSON/);
});
