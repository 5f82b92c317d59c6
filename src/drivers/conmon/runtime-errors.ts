import { BerthError } from "../../base/errors.ts";

/** The words of runc (Go's) and crun (libc's) for a program that is not there, or that cannot be executed. */
const missingWords = [
  /executable file .*not found/i,
  /exec: "[^"]*": (stat .*: )?no such file or directory/i,
  /open executable: no such file or directory/i,
];
const notExecutableWords = [
  /exec: "[^"]*": .*(permission denied|is a directory|exec format error|not a directory)/i,
  /open executable: (permission denied|operation not permitted|is a directory|not a directory)/i,
  /exec: exec format error/i,
];

/**
 * A failure to run a program in a container, in the runtime's own words. Docker's clients want exit code 127 for a program that is not there and 126
 * for one that cannot be executed, so that a script sees what a shell would say.
 */
export function runtimeError(attempt: string, words: string, programName: string | undefined): BerthError {
  const message = `${attempt}: ${tidy(words)}`;
  const program = programName === undefined ? "the program" : `'${programName}'`;
  if (missingWords.some(pattern => pattern.test(words))) {
    return new BerthError("invalid", message, {
      details: { exitCode: 127 },
      hint: `check that ${program} exists in the image and that its directory is in PATH`,
    });
  }
  if (notExecutableWords.some(pattern => pattern.test(words))) {
    return new BerthError("invalid", message, {
      details: { exitCode: 126 },
      hint: `check that ${program} is a program for this machine and has its execute permission`,
    });
  }
  if (/not a directory/i.test(words)) {
    return new BerthError("invalid", message, {
      details: { exitCode: 126 },
      hint: "a directory is mounted over a file, or the reverse: compare source and target of the mounts",
    });
  }
  return new BerthError("internal", message);
}

/** Last JSON log line with an error, as `--log-format=json` writes them; empty when there is none. */
export function lastLoggedError(log: string): string {
  for (const line of log.trimEnd().split("\n").reverse()) {
    if (!line.startsWith("{")) continue;
    try {
      const entry = JSON.parse(line) as { level?: string; msg?: string };
      if (
        entry.msg !== undefined &&
        (entry.level === undefined || entry.level === "error" || entry.level === "fatal")
      ) {
        return entry.msg;
      }
    } catch {
      // A line cut off by a full disk: an earlier one may be whole.
    }
  }
  return "";
}

function tidy(words: string): string {
  return words.trim().replace(/\s*\n\s*/g, "; ") || "the runtime failed without a word";
}
