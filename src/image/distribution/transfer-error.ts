import { asBerthError, BerthError } from "../../base/errors.ts";
import type { HttpResponse } from "./transport.ts";

const timeouts = new Set(["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "ETIMEDOUT"]);
const broken = new Set([
  "ECONNRESET",
  "EPIPE",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "UND_ERR_SOCKET",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  "UND_ERR_RESPONSE",
  "ERR_STREAM_PREMATURE_CLOSE",
]);
const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);
const untrusted = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO|CERT_|ERR_TLS_CERT)/;

/** What the network did, as an error that says whether trying again may help. */
export function asTransferError(thrown: unknown, attempted: string): BerthError {
  if (thrown instanceof BerthError) return thrown;
  const { code = "", message } = causeOf(thrown);
  if (timeouts.has(code)) {
    return new BerthError("timeout", `${attempted}: the registry sent nothing for too long (${message})`, {
      cause: thrown,
    });
  }
  if (broken.has(code) || code.startsWith("HPE_")) {
    return new BerthError("unavailable", `${attempted}: the connection broke off (${message})`, { cause: thrown });
  }
  if (unreachable.has(code)) {
    return new BerthError("unavailable", `${attempted}: the registry cannot be reached (${message})`, {
      cause: thrown,
      hint: "check the name in the reference, the network, and that the registry is running",
    });
  }
  if (untrusted.test(code)) {
    return new BerthError("unavailable", `${attempted}: the registry's certificate is not trusted (${message})`, {
      cause: thrown,
      retryable: false,
      hint: 'name its authority as "ca" in registries.json, or allow any certificate there with "insecure": true',
    });
  }
  if (isNotTls(thrown)) {
    return new BerthError("unavailable", `${attempted}: the registry does not speak TLS (${message})`, {
      cause: thrown,
      retryable: false,
      details: { notTls: true },
      hint: 'allow plain HTTP for it with "plainHttp": true in registries.json',
    });
  }
  return asBerthError(thrown);
}

function causeOf(thrown: unknown): { code?: string; message: string } {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  // Connecting to several addresses at once gives an AggregateError: the first says enough.
  const first = thrown instanceof AggregateError ? (thrown.errors[0] as Error | undefined) : undefined;
  const code = (thrown as NodeJS.ErrnoException).code ?? (first as NodeJS.ErrnoException | undefined)?.code;
  return { code, message: thrown.message || first?.message || code || thrown.name };
}

function isNotTls(thrown: unknown): boolean {
  const { code = "", message } = causeOf(thrown);
  return (
    code === "EPROTO" || code.startsWith("ERR_SSL_") || /wrong version number|packet length too long/i.test(message)
  );
}

/** A refusal as an error: the registry's own words, and how long it asks to wait. */
export function statusError(response: HttpResponse, body: string, attempted: string): BerthError {
  const { status } = response;
  const message = `${attempted}: the registry answered ${status}${registryWords(body)}`;
  if (status === 401) {
    return new BerthError("unauthorized", message, {
      hint: "log in first (berth login), and check that the account may do this",
    });
  }
  if (status === 403) return new BerthError("forbidden", message, { hint: "the account may not do this there" });
  if (status === 404) return new BerthError("not_found", message, { hint: "check the name and the tag" });
  if (status === 429 || status === 408 || status >= 500) {
    const retryAfter_ms = retryAfter(response.headers["retry-after"]);
    return new BerthError("unavailable", message, { details: { status, retryAfter_ms }, hint: "try again later" });
  }
  return new BerthError("invalid", message, { details: { status } });
}

/** {"errors": [{"code", "message"}]} (OCI distribution-spec, "Error Codes"), or the beginning of whatever came. */
function registryWords(body: string): string {
  try {
    const [first] = (JSON.parse(body) as { errors: { code?: string; message?: string }[] }).errors;
    return `: ${[first?.code, first?.message].filter(Boolean).join(": ")}`.slice(0, 500);
  } catch {
    const text = body.replace(/\s+/g, " ").trim().slice(0, 200);
    return text === "" ? "" : `: ${text}`;
  }
}

/** Seconds; a date is left to the back-off. */
function retryAfter(header: string | undefined): number {
  const seconds = Number(header);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}
