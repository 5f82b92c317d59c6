/** Columns as docker prints them: upper-case titles, three spaces between, the last column unpadded. */
export function renderTable(titles: string[], rows: string[][]): string {
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map(row => (row[column] ?? "").length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column]!)))
      .join("   ")
      .trimEnd();
  return [titles, ...rows].map(line).join("\n") + "\n";
}
