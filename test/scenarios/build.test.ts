import { afterAll, beforeAll, expect, test } from "vitest";
import { BuildFixture } from "./build-fixture.ts";

let fixture: BuildFixture;
beforeAll(async () => {
  fixture = await BuildFixture.make();
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

test("a Dockerfile becomes an image with its files, configuration and names", async () => {
  fixture.write({ "app/main.sh": "echo hi\n" });
  const built = await fixture.build(
    'FROM busybox\nRUN mkdir /data && echo made > /data/x\nWORKDIR /srv/app\nCOPY app/ .\nENV A=1\nCMD ["sh", "main.sh"]\n',
    { tags: ["demo:1", "demo:latest"], labels: { team: "red" } },
  );
  const image = await fixture.images.get("demo:1");
  expect(image.id).toBe(built.imageId);
  expect((await fixture.images.get("demo")).id).toBe(image.id);
  expect(image.config.config).toMatchObject({
    Cmd: ["sh", "main.sh"],
    WorkingDir: "/srv/app",
    Labels: { team: "red" },
  });
  expect(await fixture.added("demo:1")).toEqual({
    "/data": "directory 755 0:0",
    "/data/x": 'file 644 0:0 "made\\n"',
    "/srv": "directory 755 0:0",
    "/srv/app": "directory 755 0:0",
    "/srv/app/main.sh": 'file 644 0:0 "echo hi\\n"',
  });
  expect(await fixture.leftovers()).toEqual([]);
});
