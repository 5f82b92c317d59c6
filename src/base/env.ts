/** What programs take from their surroundings; the only reader of `process.env` beside main/. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function processEnvironment(): Environment {
  return process.env;
}
