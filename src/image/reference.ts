import { BerthError } from "../base/errors.ts";

/** A parsed image name: always with its domain. Without tag and digest it means the whole repository. */
export interface Reference {
  /** Registry host, with port where one was given: "docker.io", "localhost:5000". */
  domain: string;
  /** Repository within it: "library/redis". */
  path: string;
  tag?: string;
  /** sha256:<64 hex> */
  digest?: string;
}

export const defaultDomain = "docker.io";
const legacyDomain = "index.docker.io";
const officialPrefix = "library/";
export const defaultTag = "latest";
const nameLimit = 255;

// The grammar of github.com/distribution/reference (regexp.go), written as that package's comments give it.
const domainComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const host = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])`;
const domain = `${host}(?::[0-9]+)?`;
const pathComponent = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const path = `${pathComponent}(?:/${pathComponent})*`;
const tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const named = new RegExp(`^(?:(${domain})/)?(${path})(?::(${tag}))?(?:@(${digest}))?$`);

/**
 * Docker's reading of an image name: "redis" is docker.io/library/redis. Throws `invalid`; a bare id (64 hex digits) is no name.
 * No tag is added: see `withDefaultTag`.
 */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw malformed(text, "64 hexadecimal digits are an image id, which cannot be a name");
  }
  const match = named.exec(normalize(text));
  if (match === null) throw malformed(text, whyMalformed(text));
  const [, domainPart, pathPart, tagPart, digestPart] = match;
  if (domainPart === undefined || pathPart === undefined) throw malformed(text, "it has no repository");
  if (domainPart.length + 1 + pathPart.length > nameLimit) {
    throw malformed(text, `the repository name is longer than ${nameLimit} characters`);
  }
  if (digestPart !== undefined && !isDigest(digestPart)) throw malformed(text, "only sha256 digests are supported");
  return { domain: domainPart, path: pathPart, tag: tagPart, digest: digestPart };
}

/** Adds the domain and the "library/" that Docker's short names leave out. */
function normalize(text: string): string {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const hasDomain = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  let domainPart = hasDomain ? first : defaultDomain;
  const rest = hasDomain ? text.slice(slash + 1) : text;
  if (domainPart === legacyDomain) domainPart = defaultDomain;
  const official = domainPart === defaultDomain && !rest.includes("/");
  return `${domainPart}/${official ? officialPrefix : ""}${rest}`;
}

function whyMalformed(text: string): string {
  if (text === "") return "it is empty";
  const withoutTag = text.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  const repository = withoutTag.slice(withoutTag.indexOf("/") + 1);
  if (/[A-Z]/.test(repository)) return "the repository name must be lowercase";
  if (text.includes("@")) return "the part after @ must be sha256: and 64 hexadecimal digits";
  return "it must look like [registry/]name[:tag][@digest]";
}

function malformed(text: string, why: string): BerthError {
  return new BerthError("invalid", `invalid reference format: ${JSON.stringify(text.slice(0, 300))}: ${why}`, {
    hint: "names look like redis:7, team/app or registry.example.com:5000/team/app:1.2",
  });
}

/** sha256 digests are the only ones in use; the form is checked so that a digest can be used as a file name. */
export function isDigest(text: string): boolean {
  return /^sha256:[a-f0-9]{64}$/.test(text);
}

/** domain/path, with no tag or digest. */
export function repositoryName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The full form: docker.io/library/redis:7@sha256:… */
export function formatReference(reference: Reference): string {
  const tagPart = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digestPart = reference.digest === undefined ? "" : `@${reference.digest}`;
  return repositoryName(reference) + tagPart + digestPart;
}

/** What people read and type: redis:7 for docker.io/library/redis:7. */
export function familiarName(reference: Reference | string): string {
  const parsed = typeof reference === "string" ? parseReference(reference) : reference;
  const full = formatReference(parsed);
  if (parsed.domain !== defaultDomain) return full;
  const short = full.slice(defaultDomain.length + 1);
  const isOfficial = parsed.path.startsWith(officialPrefix) && !parsed.path.slice(officialPrefix.length).includes("/");
  return isOfficial ? short.slice(officialPrefix.length) : short;
}

/** A name alone means its tag "latest". */
export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference;
  return { ...reference, tag: defaultTag };
}

/** The key under which the local store knows a reference: a digest, where there is one, says more than the tag. */
export function storeKey(reference: Reference): string {
  const { digest: digestPart, ...rest } = withDefaultTag(reference);
  return digestPart === undefined ? formatReference(rest) : `${repositoryName(reference)}@${digestPart}`;
}
