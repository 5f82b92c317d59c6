/** Error codes of the distribution specification ("Error Codes"), with the statuses that go with them. */
const statuses = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 416,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  UNAVAILABLE: 503,
} as const;

export type RegistryCode = keyof typeof statuses;

/** A failure as clients of registries expect it. */
export class RegistryError extends Error {
  readonly code: RegistryCode;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly detail: unknown;

  constructor(
    code: RegistryCode,
    message: string,
    options: { status?: number; headers?: Record<string, string>; detail?: unknown } = {},
  ) {
    super(message);
    this.code = code;
    this.status = options.status ?? statuses[code];
    this.headers = options.headers ?? {};
    this.detail = options.detail;
  }

  toJSON(): object {
    return { errors: [{ code: this.code, message: this.message, detail: this.detail }] };
  }
}
