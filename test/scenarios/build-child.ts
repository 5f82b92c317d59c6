import { BuildFixture } from "./build-fixture.ts";

/** A builder in a process of its own, to be killed: arguments are a fixture's directory, its instance, and the Dockerfile. */
const [base = "", instance = "", text = ""] = process.argv.slice(2);
const fixture = new BuildFixture({ base, instance });
await fixture.builder.build({
  context: { kind: "empty" },
  dockerfile: { text },
  secrets: { token: { data: Buffer.from("s3cret") } },
  onProgress: event => {
    if (event.kind === "log") process.stdout.write(event.data);
  },
});
