import { main, prepare, saysYes } from "./lib/prepare.mjs";

/** `npm run setup`: from a fresh clone to built programs, without a question. `--tests` installs what the tests need too. */
main(async () => {
  await prepare({ yes: saysYes(), tests: process.argv.includes("--tests") });
  console.log("Berth is built: bin/berth --help");
});
