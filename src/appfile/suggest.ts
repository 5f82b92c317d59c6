/** The word of `known` that `typed` was most likely meant to be, or nothing when none is near. */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  const plain = normal(typed);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.min(3, Math.floor(typed.length / 3))) + 1;
  for (const word of known) {
    const distance = normal(word) === plain ? 0 : editDistance(typed, word, bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [word, distance];
  }
  return best;
}

const normal = (word: string) => word.toLowerCase().replace(/[-_.]/g, "");

/** Damerau–Levenshtein distance with adjacent swaps, or `limit` when it is at least that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 64) return limit;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(change, row[j]! + 1, next[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      next.push(cost);
    }
    before = row;
    row = next;
  }
  return Math.min(limit, row[b.length]!);
}
