/** Texts of the kernel's control group files (admin-guide/cgroup-v1/*.rst and cgroup-v2.rst). Everything is tolerant: a newer kernel adds lines. */

/** "name value" lines. */
export function parseKeyed(text: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const [key, value] = line.trim().split(/\s+/, 2);
    if (key && value !== undefined && /^\d+$/.test(value)) values[key] = Number(value);
  }
  return values;
}

/** A number, or undefined for "max" and for version 1's way to say unlimited (a number close to 2^63). */
export function parseLimit(text: string | undefined): number | undefined {
  const trimmed = text?.trim();
  if (!trimmed || !/^\d+$/.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return value >= 2 ** 62 ? undefined : value;
}

export interface BlockIo {
  major: number;
  minor: number;
  op: "Read" | "Write";
  bytes: number;
  operations: number;
}

/** Version 2, io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …". */
export function parseIoStat(text: string): BlockIo[] {
  return text.split("\n").flatMap(line => {
    const match = /^(\d+):(\d+) (.*)$/.exec(line);
    if (match === null) return [];
    const [major, minor] = [Number(match[1]), Number(match[2])];
    const values = new Map(match[3]!.split(" ").map(pair => pair.split("=", 2) as [string, string]));
    const value = (key: string) => Number(values.get(key) ?? 0);
    return [
      { major, minor, op: "Read" as const, bytes: value("rbytes"), operations: value("rios") },
      { major, minor, op: "Write" as const, bytes: value("wbytes"), operations: value("wios") },
    ];
  });
}

/** Version 1, blkio.throttle.io_service_bytes and io_serviced: "8:0 Read 1", one for each operation, then "Total 3". */
export function parseBlkio(bytesText: string, operationsText: string): BlockIo[] {
  const found = new Map<string, BlockIo>();
  const read = (text: string, field: "bytes" | "operations") => {
    for (const [, major, minor, op, value] of text.matchAll(/^(\d+):(\d+) (Read|Write) (\d+)$/gm)) {
      const key = `${major}:${minor} ${op}`;
      const entry = found.get(key) ?? {
        major: Number(major),
        minor: Number(minor),
        op: op as "Read" | "Write",
        bytes: 0,
        operations: 0,
      };
      entry[field] = Number(value);
      found.set(key, entry);
    }
  };
  read(bytesText, "bytes");
  read(operationsText, "operations");
  return [...found.values()];
}

/** The first line of /proc/stat (proc(5)): all cores together, idle time included as docker counts it; in clock ticks. */
export function parseSystemTicks(text: string): number {
  const fields = /^cpu\s+(.*)$/m.exec(text)?.[1]?.split(/\s+/).map(Number) ?? [];
  // user nice system idle iowait irq softirq steal: the guest times after them are counted in user already.
  return fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
}
