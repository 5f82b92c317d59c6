/** "key" or "key=value", all of them, as Docker's label filters go. */
export function matchesLabels(labels: Record<string, string>, wanted: string[]): boolean {
  return wanted.every(entry => {
    const cut = entry.indexOf("=");
    if (cut < 0) return entry in labels;
    return labels[entry.slice(0, cut)] === entry.slice(cut + 1);
  });
}

/** `label` must match, `label!` must not: the pair that every prune takes. */
export function matchesLabelFilters(labels: Record<string, string>, filters: Record<string, string[]>): boolean {
  const without = filters["label!"] ?? [];
  return matchesLabels(labels, filters["label"] ?? []) && !without.some(entry => matchesLabels(labels, [entry]));
}
