import { BerthError } from "../../base/errors.ts";

/** The words of runc (Go's) and crun (libc's) for a program that is not there or cannot be executed. */
const notFoundWords = [/executable file (`[^`]*' )?not found/i, /executable file .* not found in \$PATH/i];
const notExecutableWords = [/permission denied/i, /exec format error/i, /is a directory/i];

/**
 * A failure to run a program in a container, in the runtime's own words. Docker's clients want exit code 127 for a program that is not there and 126
 * for one that cannot be executed, so that a script sees what a shell would say.
 */
export function runtimeError(attempt: string, words: string, programName: string | undefined): BerthError {
  const message = `${attempt}: ${tidy(words)}`;
  if (programName !== undefined && concernsProgram(words, programName)) {
    if (isMissing(words)) {
      return new BerthError("invalid", message, {
        details: { exitCode: 127 },
        hint: `check that '${programName}' exists in the image and that its directory is in PATH`,
      });
    }
    if (notExecutableWords.some(pattern => pattern.test(words))) {
      return new BerthError("invalid", message, {
        details: { exitCode: 126 },
        hint: `check that '${programName}' is a program for this machine and has its execute permission`,
      });
    }
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

function isMissing(words: string): boolean {
  return notFoundWords.some(pattern => pattern.test(words)) || /no such file or directory/i.test(words);
}

/** A missing mount source also says "no such file or directory": only words about the program itself count. */
function concernsProgram(words: string, programName: string): boolean {
  return (words.includes(`"${programName}"`) || words.includes(`\`${programName}`)) && !/mount/i.test(words)
    ? true
    : /executable file|exec: |open executable/i.test(words) && words.includes(programName);
}

function tidy(words: string): string {
  return words.trim().replace(/\s*\n\s*/g, "; ") || "the runtime failed without a word";
}
