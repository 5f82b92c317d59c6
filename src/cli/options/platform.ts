import type { Platform } from "../../model/image.ts";

/** linux/arm64/v8 and shorter forms. */
export function parsePlatform(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined;
  const [os = "linux", architecture = "", variant] = text.split("/");
  return { os, architecture, variant };
}
