/** Numbers of a list as the kernel writes it ("0-2,4"; cpuset(7), "List format"), or undefined where it is none. Bounded: a list of billions is none. */
export function parseCpuList(text: string): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) return undefined;
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return numbers;
}

/** Whether everything in `wanted` is in `available`. */
export function inCpuList(wanted: string, available: string): "present" | "missing" | "malformed" {
  const numbers = parseCpuList(wanted);
  if (numbers === undefined) return "malformed";
  const known = parseCpuList(available) ?? new Set();
  return [...numbers].every(number => known.has(number)) ? "present" : "missing";
}
