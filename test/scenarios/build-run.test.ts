import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuildFixture } from "./build-fixture.ts";

let fixture: BuildFixture;
beforeAll(async () => {
  fixture = await BuildFixture.make();
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

test("RUN sees its arguments, environment, working directory, user and shell", async () => {
  const { output } = await fixture.build(
    [
      "FROM busybox",
      "ARG flavour=sour",
      "ENV colour=green",
      "WORKDIR /srv",
      "USER web",
      "RUN echo $flavour $colour $(pwd) $(id -u) $HOME",
      'SHELL ["/bin/sh", "-x", "-c"]',
      "RUN true traced",
      'RUN ["echo", "$colour"]',
    ].join("\n"),
    { args: { flavour: "sweet" } },
  );
  expect(output).toContain("sweet green /srv 1000 /home\n");
  expect(output).toContain("+ true traced\n");
  expect(output).toContain("$colour\n");
});

test("heredocs: a script for the shell, a program of its own, files for a command", async () => {
  const { output } = await fixture.build(
    "FROM busybox\nRUN <<EOF\necho one\necho two\nEOF\nRUN <<EOF\n#!/bin/cat\nthe text itself\nEOF\nRUN cat <<A && cat <<B\nfrom a\nA\nfrom b\nB\n",
  );
  expect(output).toContain("one\ntwo\n");
  expect(output).toContain("the text itself\n");
  expect(output).toContain("from a\nfrom b\n");
});

test("a layer holds what the command changed, and nothing of what the runtime put there", async () => {
  await fixture.build("FROM busybox\nRUN echo x > /etc/mine && rm /var/data/from-image && chmod 700 /home", {
    tags: ["layer"],
  });
  expect(await fixture.added("layer")).toEqual({ "/etc/mine": 'file 644 0:0 "x\\n"', "/home": "directory 700 0:0" });
  expect(await fixture.files("layer")).not.toHaveProperty("/var/data/from-image");
  await fixture.build("FROM busybox\nRUN --mount=type=tmpfs,target=/new/place true", { tags: ["none"] });
  expect(await fixture.added("none")).toEqual({});
});

describe("mounts", () => {
  test("bind shows the context without what is ignored, and another stage; writes to it are thrown away", async () => {
    fixture.write({ "src/a": "aa", "src/secret": "no", ".dockerignore": "src/secret\n" });
    const { output } = await fixture.build(
      [
        "FROM busybox AS other",
        "RUN echo from-other > /made",
        "FROM busybox",
        "RUN --mount=target=/ctx ls /ctx/src && ! touch /ctx/x",
        "RUN --mount=from=other,target=/o,rw cat /o/made && echo changed > /o/made",
        "RUN --mount=from=other,source=/made,target=/m cat /m",
      ].join("\n"),
      { tags: ["bind"] },
    );
    expect(output).toContain("a\n");
    expect(output).not.toContain("secret");
    expect(output.match(/from-other/g)).toHaveLength(2);
    expect(await fixture.added("bind")).toEqual({});
    fixture.write({ ".dockerignore": "" });
  });

  test("a cache outlives the build, with its owner and mode, and is no part of the image", async () => {
    const text = (n: number) =>
      `FROM busybox\nRUN --mount=type=cache,target=/c,mode=0770,uid=7,gid=8 echo ${n} >> /c/n && cat /c/n && ls -nd /c`;
    await fixture.build(text(1));
    const { output } = await fixture.build(text(2), { tags: ["cache"] });
    expect(output).toMatch(/^1\n2\ndrwxrwx--- +\d+ 7 +8 /);
    expect(await fixture.added("cache")).toEqual({});
  });

  test("a locked cache is held by one step at a time", async () => {
    const stage = (name: string) =>
      `FROM busybox AS ${name}\nRUN --mount=type=cache,id=l,sharing=locked,target=/c test ! -e /c/in && touch /c/in && sleep 0.3 && rm /c/in && echo ${name} > /r\n`;
    await fixture.build(`${stage("a")}${stage("b")}FROM scratch\nCOPY --from=a /r /a\nCOPY --from=b /r /b\n`);
  });

  test("a secret is there for its step alone, as file or variable, and in no layer", async () => {
    const secrets = { token: { data: Buffer.from("s3cret") } };
    const { output } = await fixture.build(
      [
        "FROM busybox",
        "RUN --mount=type=secret,id=token cat /run/secrets/token && ls -l /run/secrets/token",
        "RUN --mount=type=secret,id=token,env=TOKEN test $TOKEN = s3cret && test ! -e /run/secrets",
        "RUN --mount=type=secret,id=token,target=/t,mode=0444,uid=5 stat -c '%a %u' /t",
        "RUN --mount=type=secret,id=absent test ! -e /run/secrets/absent",
      ].join("\n"),
      { secrets, tags: ["secret"] },
    );
    expect(output).toContain("s3cret-r--------");
    expect(output).toContain("444 5\n");
    expect(await fixture.added("secret")).toEqual({});
    const missing = fixture.build("FROM busybox\nRUN --mount=type=secret,id=absent,required true");
    await expect(missing).rejects.toThrow(
      "Dockerfile:2: RUN --mount=type=secret,id=absent,required true: the step needs the secret 'absent'",
    );
  });

  test("an SSH agent of the host answers inside the step", async () => {
    const path = join(fixture.base, "agent.sock");
    const agent = createServer(client => client.end("agent here\n")).listen(path);
    const { output } = await fixture.build(
      "FROM busybox\nRUN --mount=type=ssh test -S $SSH_AUTH_SOCK && ls -l $SSH_AUTH_SOCK && echo reached",
      { ssh: { default: path } },
    );
    expect(output).toMatch(/^srw-------/);
    agent.close();
    await expect(fixture.build("FROM busybox\nRUN --mount=type=ssh,required true")).rejects.toThrow(
      "needs the SSH agent 'default'",
    );
  });
});

test("networks: a bridge with a way out by default, none, or the host's", async () => {
  const { output } = await fixture.build(
    [
      "FROM busybox",
      "RUN ip addr show eth0 | grep -c 'inet ' && cat /etc/hosts",
      "RUN --network=none ip -o link | grep -vc lo: | cat",
      "RUN --network=host ip -o link | wc -l",
    ].join("\n"),
    { extraHosts: ["db.test:10.9.8.7"] },
  );
  expect(output).toMatch(/^1\n/);
  expect(output).toContain("10.9.8.7\tdb.test\n");
});

test("a failing step says file, line, exit code and the end of its output", async () => {
  const error = await fixture
    .build("FROM busybox\n\nRUN echo before && echo why >&2 && exit 3\n")
    .catch(thrown => thrown);
  expect(error.message).toBe(
    [
      "Dockerfile:3: RUN echo before && echo why >&2 && exit 3: exit code 3",
      "  before",
      "  why",
      "   3 | RUN echo before && echo why >&2 && exit 3",
      "     | ^",
    ].join("\n"),
  );
  expect(error.details).toMatchObject({ exitCode: 3, line: 3, file: "Dockerfile" });
  const missing = await fixture.build('FROM busybox\nRUN ["nope"]').catch(thrown => thrown);
  expect(missing.details).toMatchObject({ exitCode: 127, line: 2 });
  expect(await fixture.leftovers()).toEqual([]);
});

test("a cancelled build stops its steps and leaves nothing behind", async () => {
  const stop = new AbortController();
  const build = fixture.build("FROM busybox\nRUN echo started && sleep 100\n", {
    signal: stop.signal,
    onProgress: event => {
      if (event.kind === "log") stop.abort(new Error("enough"));
    },
  });
  await expect(build).rejects.toThrow("enough");
  expect(await fixture.leftovers()).toEqual([]);
});

test("what a killed build left is swept by the next one", async () => {
  const { layers } = fixture;
  const id = "build-0123456789ab-3";
  await layers.createRoot(id, (await fixture.images.get("busybox")).config.rootfs.diff_ids);
  fixture.write(
    { "run/build-steps/build-0123456789ab-3/secret-0": "s", "root/build/tmp/0123456789ab/files/x": "y" },
    fixture.base,
  );
  await fixture.build("FROM busybox\nRUN true", {}, fixture.open());
  expect(await fixture.leftovers()).toEqual([]);
});

test("limits of the build reach its steps", async () => {
  const { output } = await fixture.build("FROM busybox\nRUN ulimit -n && df -k /dev/shm | tail -1", {
    ulimits: [{ name: "nofile", soft: 123, hard: 456 }],
    shmSize_bytes: 1 << 20,
  });
  expect(output).toMatch(/^123\nshm +1024 /);
});

test("ONBUILD triggers of the base run in the image built from it", async () => {
  await fixture.build("FROM busybox\nONBUILD COPY onbuild.txt /o\nONBUILD RUN cat /o", { tags: ["trigger"] });
  fixture.write({ "onbuild.txt": "triggered\n" });
  const { output } = await fixture.build("FROM trigger\nRUN echo own", { tags: ["triggered"] });
  expect(output).toBe("triggered\nown\n");
  expect((await fixture.images.get("triggered")).config.config?.OnBuild).toBeUndefined();
});
