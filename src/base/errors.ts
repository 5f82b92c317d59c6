/**
 * Every failure that a user can meet is a BerthError. `message` says what was attempted and what was found, `hint` what to do next.
 * The code decides the HTTP status and the exit code, here and nowhere else.
 */
export type ErrorCode =
  | "invalid" // the request itself is wrong; asking again will not help
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "conflict" // the thing is in a state that does not allow this
  | "in_use"
  | "already_exists"
  | "unchanged" // already so: started and is running, stopped and is stopped
  | "unsupported" // asked for by name, and Berth does not do it
  | "exhausted" // no space, no addresses, too many
  | "unavailable" // another party does not answer; retrying may help
  | "timeout"
  | "cancelled"
  | "corrupt" // stored or received data is not what its digest or format says
  | "internal";

interface ErrorKind {
  status: number;
  exitCode: number;
}

export const errorKinds: Record<ErrorCode, ErrorKind> = {
  invalid: { status: 400, exitCode: 125 },
  unauthorized: { status: 401, exitCode: 125 },
  forbidden: { status: 403, exitCode: 125 },
  not_found: { status: 404, exitCode: 125 },
  conflict: { status: 409, exitCode: 125 },
  in_use: { status: 409, exitCode: 125 },
  already_exists: { status: 409, exitCode: 125 },
  unchanged: { status: 304, exitCode: 0 },
  unsupported: { status: 501, exitCode: 125 },
  exhausted: { status: 507, exitCode: 125 },
  unavailable: { status: 503, exitCode: 125 },
  timeout: { status: 504, exitCode: 124 },
  cancelled: { status: 499, exitCode: 130 },
  corrupt: { status: 500, exitCode: 125 },
  internal: { status: 500, exitCode: 125 },
};

export interface ErrorOptions {
  hint?: string;
  cause?: unknown;
  retryable?: boolean;
  /** Facts for programs, e.g. `{ exitCode: 127 }`; must be JSON. */
  details?: Record<string, unknown>;
}

/** What an error looks like as JSON, in our own API and in `--format json`. */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  hint?: string;
  retryable?: boolean;
  details?: Record<string, unknown>;
}

export class BerthError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BerthError";
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? (code === "unavailable" || code === "timeout");
    this.details = options.details;
  }

  get status(): number {
    return errorKinds[this.code].status;
  }

  get exitCode(): number {
    return errorKinds[this.code].exitCode;
  }

  toJSON(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      retryable: this.retryable || undefined,
      details: this.details,
    };
  }

  static fromJSON(body: ErrorBody): BerthError {
    const code = body.code in errorKinds ? body.code : "internal";
    return new BerthError(code, body.message, { hint: body.hint, retryable: body.retryable, details: body.details });
  }
}

/** Any thrown value as a BerthError: system errors get the code that fits them, the rest is internal. */
export function asBerthError(thrown: unknown): BerthError {
  if (thrown instanceof BerthError) return thrown;
  if (!(thrown instanceof Error)) return new BerthError("internal", String(thrown));
  if (thrown.name === "AbortError") return new BerthError("cancelled", "cancelled", { cause: thrown });
  const system = (thrown as NodeJS.ErrnoException).code;
  if (system === "ENOSPC" || system === "EDQUOT") {
    return new BerthError("exhausted", `no space left: ${thrown.message}`, {
      cause: thrown,
      hint: "free space with 'berth system prune', or move Berth's data with --root",
    });
  }
  if (system === "EACCES" || system === "EPERM") return new BerthError("forbidden", thrown.message, { cause: thrown });
  return new BerthError("internal", thrown.message, { cause: thrown });
}

export function isCode(thrown: unknown, ...codes: ErrorCode[]): boolean {
  return thrown instanceof BerthError && codes.includes(thrown.code);
}

/** For what only a mistake in Berth itself can cause. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BerthError("internal", `assertion failed: ${message}`);
}
