import type { Progress, ProgressSink } from "../../ports/images.ts";
import type { LineWriter } from "../http/line-writer.ts";

/** Between two lines about the bytes of one layer: more often than that nobody sees. */
const interval_ms = 100;

/** Docker's JSON messages from progress: {status, id, progressDetail, progress}. */
export function progressLines(lines: LineWriter, now_ms: () => number): ProgressSink {
  const last = new Map<string, { status: string; at_ms: number }>();
  return progress => {
    const known = last.get(progress.id);
    const at_ms = now_ms();
    const isByteCount = progress.current !== undefined && known?.status === progress.status;
    const isWhole = progress.current !== undefined && progress.current === progress.total;
    if (isByteCount && !isWhole && at_ms - known.at_ms < interval_ms) return;
    last.set(progress.id, { status: progress.status, at_ms });
    lines.tell(messageOf(progress));
  };
}

function messageOf({ id, status, current, total }: Progress) {
  const detail = current === undefined ? {} : { current, ...(total ? { total } : {}) };
  return {
    status,
    progressDetail: detail,
    ...(current !== undefined && total ? { progress: bar(current, total) } : {}),
    ...(id ? { id } : {}),
  };
}

const width = 50;

/** "[=====>     ]  1.2MB/5MB", as clients that show no bars of their own print it. */
function bar(current: number, total: number): string {
  const done = Math.min(width, Math.floor((current / total) * width));
  const arrow = done >= width ? "=".repeat(width) : `${"=".repeat(done)}>${" ".repeat(width - done - 1)}`;
  return `[${arrow}]  ${humanSize(current)}/${humanSize(total)}`;
}

/** As go-units' HumanSize: four significant digits, powers of 1000. */
export function humanSize(size_bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = size_bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${Number(size.toPrecision(4))}${units[unit]}`;
}
