/**
 * When scheduled work starts: cron expressions as Vixie cron reads them, in a time zone.
 * Five fields: minute hour day-of-month month day-of-week, each `*`, numbers, ranges, lists and steps; months and days also by name;
 * 0 and 7 are Sunday; where both day fields are given, either is enough. Or @hourly @daily @midnight @weekly @monthly @yearly @annually.
 */

interface Cron {
  minutes: Set<number>;
  hours: Set<number>;
  days: Set<number>;
  months: Set<number>;
  weekdays: Set<number>;
  /** Whether the field starts with `*`: then the other day field decides alone. */
  anyDay: boolean;
  anyWeekday: boolean;
  /** Neither minute nor hour is `*` or a step of it: the time of day is meant, and is made up for when clocks skip it. */
  fixedTime: boolean;
}

const macros = new Map(
  Object.entries({
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
  }),
);

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** What is wrong with a cron expression, or undefined when nothing is. */
export function cronProblem(expression: string): string | undefined {
  const parsed = parse(expression);
  if (typeof parsed === "string") return parsed;
  return firstDay(parsed) ? undefined : "no date fits it";
}

export function isTimeZone(name: string): boolean {
  try {
    formatter(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The first time after `after_ms` (both milliseconds since 1970) at which the expression is due in the time zone; undefined when it
 * never is (within 8 years). Where clocks go forward over a fixed time, that time is taken when they have gone; where they go back, a
 * fixed time comes once, and `*` in hours or minutes counts every real hour. Throws RangeError for an expression or zone that is none.
 */
export function nextTime_ms(expression: string, timeZone: string, after_ms: number): number | undefined {
  const cron = parse(expression);
  if (typeof cron === "string") throw new RangeError(`${JSON.stringify(expression)}: ${cron}`);
  const start = wallOf(after_ms, timeZone);
  const from = Date.UTC(start.year, start.month - 1, start.day);
  // The day before counts, too: a time that clocks skipped may have become one of the next day.
  for (let day = from - day_ms; day < from + 8 * 366 * day_ms; day += day_ms) {
    if (!fitsDay(cron, new Date(day))) continue;
    const found = firstOfDay(cron, day, timeZone, after_ms);
    if (found !== undefined) return found;
  }
  return undefined;
}

const minute_ms = 60_000;
const hour_ms = 3_600_000;
const day_ms = 86_400_000;

/** The first instant after `after_ms` out of those that the day's wall times stand for. */
function firstOfDay(cron: Cron, day: number, timeZone: string, after_ms: number): number | undefined {
  let best: number | undefined;
  const offset = offset_ms(day - day_ms, timeZone);
  if (offset === offset_ms(day + 2 * day_ms, timeZone)) return firstOfPlainDay(cron, day - offset, after_ms);
  for (const hour of cron.hours) {
    for (const minute of cron.minutes) {
      for (const instant of instantsOf(day + hour * hour_ms + minute * minute_ms, cron.fixedTime, timeZone)) {
        if (instant > after_ms && (best === undefined || instant < best)) best = instant;
      }
    }
  }
  return best;
}

/** The same for a day on which clocks do not change; `midnight` is the instant at which it starts. */
function firstOfPlainDay(cron: Cron, midnight: number, after_ms: number): number | undefined {
  for (let hour = 0; hour < 24; hour++) {
    if (!cron.hours.has(hour) || midnight + (hour + 1) * hour_ms <= after_ms) continue;
    for (let minute = 0; minute < 60; minute++) {
      const instant = midnight + hour * hour_ms + minute * minute_ms;
      if (cron.minutes.has(minute) && instant > after_ms) return instant;
    }
  }
  return undefined;
}

/** The instants at which clocks of the zone show a wall time (as if it were UTC): one, none or two, in order. */
function instantsOf(wall: number, fixedTime: boolean, timeZone: string): number[] {
  const offsets = new Set([offset_ms(wall - day_ms, timeZone), offset_ms(wall + day_ms, timeZone)]);
  const instants = [...offsets]
    .map(offset => wall - offset)
    .filter(instant => offset_ms(instant, timeZone) === wall - instant);
  instants.sort((a, b) => a - b);
  if (instants.length === 0 && fixedTime) {
    // Skipped: the clocks jump from before it to after it; it is due at the jump, as far past it as it stood in the gap.
    return [wall - Math.min(...offsets)];
  }
  return fixedTime ? instants.slice(0, 1) : instants;
}

function fitsDay(cron: Cron, date: Date): boolean {
  if (!cron.months.has(date.getUTCMonth() + 1)) return false;
  const [day, weekday] = [cron.days.has(date.getUTCDate()), cron.weekdays.has(date.getUTCDay())];
  return cron.anyDay || cron.anyWeekday ? day && weekday : day || weekday;
}

/** Whether any date of a leap-year cycle fits. */
function firstDay(cron: Cron): boolean {
  const start = Date.UTC(2000, 0, 1);
  for (let day = 0; day < 8 * 366; day++) if (fitsDay(cron, new Date(start + day * day_ms))) return true;
  return false;
}

function parse(expression: string): Cron | string {
  const trimmed = expression.trim().toLowerCase();
  const fields = (macros.get(trimmed) ?? trimmed).split(/\s+/);
  if (trimmed.startsWith("@") && !macros.has(trimmed)) return `it is none of ${[...macros.keys()].join(" ")}`;
  if (fields.length !== 5)
    return `it has ${trimmed === "" ? 0 : fields.length} fields, not 5: minute hour day month weekday`;
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const minutes = parseField("minute", minute, 0, 59);
  const hours = parseField("hour", hour, 0, 23);
  const days = parseField("day", day, 1, 31);
  const months = parseField("month", month, 1, 12, monthNames);
  const weekdays = parseField("weekday", weekday, 0, 7, dayNames);
  if (typeof minutes === "string") return minutes;
  if (typeof hours === "string") return hours;
  if (typeof days === "string") return days;
  if (typeof months === "string") return months;
  if (typeof weekdays === "string") return weekdays;
  if (weekdays.has(7)) weekdays.add(0);
  const fixedTime = !minute.startsWith("*") && !hour.startsWith("*");
  return {
    minutes,
    hours,
    days,
    months,
    weekdays,
    anyDay: day.startsWith("*"),
    anyWeekday: weekday.startsWith("*"),
    fixedTime,
  };
}

function parseField(what: string, text: string, min: number, max: number, names: string[] = []): Set<number> | string {
  const found = new Set<number>();
  const wrong = `the ${what} ${JSON.stringify(text)} is not *, or numbers from ${min} to ${max} with , - and /`;
  const number = (word: string) => {
    const named = names.indexOf(word);
    if (named >= 0) return named + (min === 1 ? 1 : 0);
    return /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN;
  };
  for (const part of text.split(",")) {
    const match = /^(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:\/(\d{1,2}))?$/.exec(part);
    if (!match) return wrong;
    const [, firstText, lastText, stepText] = match;
    const first = firstText === undefined ? min : number(firstText);
    const last =
      lastText !== undefined ? number(lastText) : firstText === undefined || stepText !== undefined ? max : first;
    const step = stepText === undefined ? 1 : Number(stepText);
    if (!(first >= min && last <= max && first <= last && step >= 1)) return wrong;
    for (let value = first; value <= last; value += step) found.add(value);
  }
  return found;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(timeZone: string): Intl.DateTimeFormat {
  let made = formatters.get(timeZone);
  if (!made) {
    made = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    if (formatters.size < 500) formatters.set(timeZone, made);
  }
  return made;
}

interface Wall {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

function wallOf(instant_ms: number, timeZone: string): Wall {
  const wall: Wall = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of formatter(timeZone).formatToParts(instant_ms)) {
    if (type in wall) wall[type as keyof Wall] = Number(value);
  }
  return wall;
}

/** What the zone's clocks show, less UTC, to the second. */
function offset_ms(instant_ms: number, timeZone: string): number {
  const whole = Math.floor(instant_ms / 1_000) * 1_000;
  const { year, month, day, hour, minute, second } = wallOf(whole, timeZone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
}
