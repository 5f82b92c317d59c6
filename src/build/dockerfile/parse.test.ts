import { describe, expect, it } from "vitest";
import { BerthError } from "../../base/errors.ts";
import type { Copy, Run } from "./instruction.ts";
import { parseDockerfile } from "./parse.ts";

function only(text: string) {
  const file = parseDockerfile(`FROM scratch\n${text}`);
  return file.stages[0]!.instructions[0]!;
}

function failure(text: string): BerthError {
  try {
    parseDockerfile(text);
  } catch (thrown) {
    if (thrown instanceof BerthError) return thrown;
    throw thrown;
  }
  throw new Error("parsed");
}

describe("directives", () => {
  it("accepts syntax without fetching a frontend, and check", () => {
    const file = parseDockerfile("# syntax=docker/dockerfile:1\n# check=skip=all\nFROM scratch\n");
    expect(file.directives).toEqual({ syntax: "docker/dockerfile:1", check: "skip=all", escape: "\\" });
  });

  it("continues lines with the escape that the file chose", () => {
    const file = parseDockerfile("# escape=`\nFROM scratch\nRUN dir `\n  C:\\\n");
    expect((file.stages[0]!.instructions[0] as Run).command).toEqual({ form: "shell", line: "dir   C:\\" });
  });

  it("takes directives after other comments for comments", () => {
    expect(parseDockerfile("# hello\n# escape=`\nFROM scratch").directives.escape).toBe("\\");
  });
});

describe("lines", () => {
  it("joins continued lines, skipping comments and blank lines between them", () => {
    expect((only("RUN a && \\\n# why\n\n   b") as Run).command).toEqual({ form: "shell", line: "a &&    b" });
  });

  it("does not continue a line that ends in an escaped backslash", () => {
    const file = parseDockerfile("FROM scratch\nRUN echo \\\\\nRUN b\n");
    expect(file.stages[0]!.instructions).toHaveLength(2);
  });

  it("reads Windows line ends and a byte order mark", () => {
    expect(parseDockerfile("\uFEFFFROM a\r\nRUN b \\\r\n c\r\n").stages[0]!.instructions[0]!.text).toBe("RUN b  c");
  });
});

describe("commands", () => {
  it("tells exec form from shell form, and broken JSON is shell form", () => {
    expect((only('RUN ["a", "b c"]') as Run).command).toEqual({ form: "exec", args: ["a", "b c"] });
    expect((only("RUN [ -f x ] && y") as Run).command).toEqual({ form: "shell", line: "[ -f x ] && y" });
  });

  it("reads all of RUN's mounts", () => {
    const run = only(
      "RUN --mount=type=cache,target=/c,sharing=locked,uid=5 --mount=target=/b,from=x,rw --mount=type=tmpfs,dst=/t,size=1m --mount=type=secret,id=s,env=S,required --mount=type=ssh --network=none make",
    ) as Run;
    expect(run.network).toBe("none");
    expect(run.mounts.map(({ kind, fields }) => ({ kind, ...fields }))).toEqual([
      { kind: "cache", target: "/c", sharing: "locked", uid: "5" },
      { kind: "bind", target: "/b", from: "x", readwrite: "true" },
      { kind: "tmpfs", target: "/t", size: "1m" },
      { kind: "secret", id: "s", env: "S", required: "true" },
      { kind: "ssh" },
    ]);
  });

  it("refuses --security by name", () => {
    expect(failure("FROM a\nRUN --security=insecure x").message).toContain("--security is not done by Berth");
  });

  it("reads health checks in nanoseconds", () => {
    expect(only("HEALTHCHECK --interval=1m30s --timeout=500ms --retries=4 CMD curl -f x")).toMatchObject({
      interval_ns: 90e9,
      timeout_ns: 5e8,
      retries: 4,
      command: { form: "shell", line: "curl -f x" },
    });
    expect(only("HEALTHCHECK NONE")).not.toHaveProperty("command");
  });
});

describe("heredocs", () => {
  it("makes the body the script when nothing else is on the line", () => {
    expect((only("RUN <<EOF\na\nb\nEOF") as Run).command).toEqual({ form: "shell", line: "a\nb\n" });
  });

  it("gives the shell the whole of a command line with heredocs", () => {
    expect((only("RUN cat <<A >x && cat <<B\n1\nA\n2\nB\n") as Run).command).toEqual({
      form: "shell",
      line: "cat <<A >x && cat <<B\n1\nA\n2\nB",
    });
  });

  it("runs a body that starts with #! as a program", () => {
    expect((only("RUN <<EOF\n#!/bin/x\ny\nEOF") as Run).script).toEqual({
      name: "EOF",
      text: "#!/bin/x\ny\n",
      expand: false,
    });
  });

  it("copies inline files, with tabs stripped by <<- and no expansion behind a quoted name", () => {
    const copy = only("COPY <<-one.txt <<'two.txt' local /d/\n\ta\n\tone.txt\n$x\ntwo.txt\n") as Copy;
    expect(copy.files).toEqual([
      { name: "one.txt", text: "a\n", expand: true },
      { name: "two.txt", text: "$x\n", expand: false },
    ]);
    expect(copy.sources.map(source => source.text)).toEqual(["local"]);
  });

  it("points at a heredoc that is never closed", () => {
    expect(failure("FROM a\nRUN cat <<EOF\nx\n").message).toMatch(/^Dockerfile:2:9: the heredoc is never closed/);
  });
});

describe("errors", () => {
  it("show file, line, column, the line with a caret, and the instruction that was meant", () => {
    const error = failure("FROM alpine\n\n  RUNN make\n");
    expect(error.message).toBe("Dockerfile:3:3: unknown instruction 'RUNN'\n   3 |   RUNN make\n     |   ^");
    expect(error.hint).toBe("did you mean RUN?");
    expect(error.details).toEqual({ file: "Dockerfile", line: 3, column: 3, source: "  RUNN make" });
  });

  it("point into continued lines", () => {
    expect(failure("FROM a\nENV a=b \\\n    c").details).toMatchObject({ line: 3, column: 5 });
  });

  it.each([
    ["RUN x", "RUN stands before the first FROM"],
    ["", "the file has no FROM"],
    ["FROM a b", "FROM takes an image"],
    ["FROM a AS 1x", "cannot be a stage's name"],
    ["FROM a AS x\nFROM b AS X", "two stages have the name 'x'"],
    ["FROM a\nCOPY x", "needs at least one source and a destination"],
    ["FROM a\nCOPY --form=x a b", "COPY has no flag --form"],
    ["FROM a\nCOPY --link=maybe a b", "--link is 'maybe'"],
    ["FROM a\nCOPY --from=$x a b", "--from cannot hold a variable"],
    ["FROM a\nRUN --mount=type=chace,target=/x y", "type 'chace' is unknown"],
    ["FROM a\nRUN --mount=type=cache y", "has no target"],
    ["FROM a\nONBUILD FROM x", "cannot be an ONBUILD trigger"],
    ["FROM a\nONBUILD COPY x", "needs at least one source"],
    ["FROM a\nSHELL sh -c", "SHELL takes the exec form only"],
    ["FROM a\nLABEL a", "has no value"],
    ["FROM a\nENV a=b c", "'c' is no NAME=value"],
    ["FROM a\nHEALTHCHECK --interval=1x CMD y", "--interval is '1x'"],
    ['FROM a\nCMD ["a", 1]', "may hold only strings"],
    ["# escape=x\nFROM a", "escape is 'x'"],
  ])("say what is wrong with %j", (text, message) => {
    expect(failure(text).message).toContain(message);
  });
});
