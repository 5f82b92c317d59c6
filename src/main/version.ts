/** Replaced by the build; the sources run as they are say so. */
declare const BERTH_VERSION: string | undefined;

export const version = typeof BERTH_VERSION === "string" ? BERTH_VERSION : "0.0.0-source";
