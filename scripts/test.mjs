import { main, pinnedEnvironment, pinnedNode, prepare, root, saysYes } from "./lib/prepare.mjs";
import { run } from "./lib/system.mjs";

/** `npm test`: set-up, the cheap checks, unit tests, then scenarios with real containers and clients. Arguments go to the test runner. */
main(async () => {
  await prepare({ yes: saysYes(), tests: true });
  const options = { cwd: root, env: pinnedEnvironment() };
  const filters = process.argv.slice(2).filter(argument => argument !== "--yes");
  run(pinnedNode, ["scripts/check.ts"], options);
  run("vitest", ["run", ...filters], options);
});
