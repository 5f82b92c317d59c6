/** Structured log lines on stderr: a sentence, then facts. Programs choose the level; libraries get a Logger and never print. */
export type LogLevel = "debug" | "info" | "warn" | "error";

export type LogFacts = Record<string, string | number | boolean | undefined>;

export interface Logger {
  log(level: LogLevel, message: string, facts?: LogFacts): void;
}

const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export const silentLogger: Logger = { log() {} };

/** `write` gets whole lines with their newline. */
export function lineLogger(level: LogLevel, now_ms: () => number, write: (line: string) => void): Logger {
  return {
    log(at, message, facts = {}) {
      if (ranks[at] < ranks[level]) return;
      const tail = Object.entries(facts)
        .filter(([, value]) => value !== undefined)
        .map(
          ([key, value]) =>
            ` ${key}=${typeof value === "string" && /[\s"=]/.test(value) ? JSON.stringify(value) : value}`,
        )
        .join("");
      write(`${new Date(now_ms()).toISOString()} ${at} ${message}${tail}\n`);
    },
  };
}
