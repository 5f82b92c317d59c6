import { main, pinnedEnvironment, pinnedNode, prepare, root, saysYes } from "./lib/prepare.mjs";
import { run } from "./lib/system.mjs";

/** `npm start`: from a fresh clone to something that runs, saying what it does. */
main(async () => {
  await prepare({ yes: saysYes() });
  run(pinnedNode, ["scripts/demo.ts"], { cwd: root, env: pinnedEnvironment() });
});
