import { randomBytes } from "node:crypto";

/** 64 hex digits, as container and network ids are in every Docker client. */
export function newId(): string {
  return randomBytes(32).toString("hex");
}

/** The 12 digits that people read and type. Digests lose their algorithm. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}
