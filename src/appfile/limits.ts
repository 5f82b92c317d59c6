/** Bounds on what an app file may be, so that no text can exhaust the machine that reads it. */
export const limits = {
  /** One file, in UTF-16 units. */
  fileLength: 8 << 20,
  /** Files read for one app: compose, include, extends, env. */
  files: 5_000,
  /** Nesting of mappings and lists. */
  depth: 100,
  /** Values in one file once every alias is written out. */
  nodes: 1_000_000,
  /** Values in all files of an app, each as often as it is included or extended; texts count, too. */
  values: 2_000_000,
  /** Text in one file once every alias is written out. */
  expandedLength: 32 << 20,
  /** Text of one file once every variable is written out. */
  interpolatedLength: 32 << 20,
  /** `include` within `include`, `extends` of `extends`, `${a:-${b:-…}}`. */
  nesting: 50,
  /** Ports of one file once ranges are written out. */
  ports: 65_536,
  /** Problems reported at once. */
  problems: 50,
} as const;
