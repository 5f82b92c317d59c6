import { BerthError } from "../../base/errors.ts";

/** What is spoken: each version of Docker's API from 1.24 on; answers have the newest one's form, and what an older client needs besides. */
export const apiVersion = "1.50";
export const minimumApiVersion = "1.24";

/** A version as one number to compare: 1.43 is 43. Throws `invalid` outside of what is spoken, in the words that clients know. */
export function negotiated(asked: string | undefined): number {
  if (asked === undefined) return minor(apiVersion);
  const version = minor(asked);
  if (!asked.startsWith("1.") || version > minor(apiVersion)) {
    throw new BerthError(
      "invalid",
      `client version ${asked} is too new. Maximum supported API version is ${apiVersion}`,
    );
  }
  if (version < minor(minimumApiVersion)) {
    throw new BerthError(
      "invalid",
      `client version ${asked} is too old. Minimum supported API version is ${minimumApiVersion}, please upgrade your client to a newer version`,
    );
  }
  return version;
}

const minor = (version: string) => Number(version.split(".")[1]);
