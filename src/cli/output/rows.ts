import { type CliContext, print } from "../context.ts";
import { renderTable } from "./table.ts";
import { compileTemplate } from "./template.ts";

export type Column = [title: string, field: string];

/**
 * Rows in the format that was asked for: absent or "table" the given columns, "json" one object a line, "table TEMPLATE" columns of one's own
 * (cells separated by tabs), else a template for each row.
 */
export function printRows(
  context: Pick<CliContext, "stdout">,
  rows: Record<string, unknown>[],
  format: string | undefined,
  columns: Column[],
): void {
  if (format === undefined || format === "table") {
    print(
      context,
      renderTable(
        columns.map(column => column[0]),
        rows.map(row => columns.map(column => String(row[column[1]] ?? ""))),
      ),
    );
  } else if (format === "json") {
    for (const row of rows) print(context, JSON.stringify(row));
  } else if (format.startsWith("table ")) {
    const text = format.slice("table ".length).replaceAll("\\t", "\t");
    const titles = text.split("\t").map(cell => titleOf(cell, columns));
    const render = compileTemplate(text);
    print(
      context,
      renderTable(
        titles,
        rows.map(row => render(row).split("\t")),
      ),
    );
  } else {
    const render = compileTemplate(format.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
    for (const row of rows) print(context, `${render(row)}\n`);
  }
}

function titleOf(cell: string, columns: Column[]): string {
  const field = /\.(\w+)/.exec(cell)?.[1];
  return (
    columns.find(column => column[1] === field)?.[0] ??
    (field ?? cell).replace(/([a-z])([A-Z])/g, "$1 $2").toUpperCase()
  );
}

/** What inspect prints: indented JSON, or a template for each. */
export function printInspected(
  context: Pick<CliContext, "stdout">,
  values: unknown[],
  format: string | undefined,
): void {
  if (format === undefined || format === "json") {
    print(context, JSON.stringify(values, null, 4));
    return;
  }
  const render = compileTemplate(format);
  for (const value of values) print(context, `${render(value)}\n`);
}
