const powers = "kmgtp";

/** Bytes of a size as Docker writes it ("512m", "1.5GiB", "10 kB", "100"), powers of 1024, or undefined when it is none. "-1" is -1. */
export function parseSize_bytes(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "-1") return -1;
  const match = /^(\d{1,16}(?:\.\d{1,16})?) ?([kmgtp])?i?b?$/i.exec(trimmed);
  if (!match) return undefined;
  const bytes = Math.floor(Number(match[1]) * 1024 ** power(match[2]));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const power = (unit: string | undefined) => (unit ? powers.indexOf(unit.toLowerCase()) + 1 : 0);
