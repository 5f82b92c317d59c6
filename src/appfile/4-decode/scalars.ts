import { parseDuration_ms, showDuration } from "../../model/duration.ts";
import { parseSize_bytes } from "../../model/size.ts";
import { describe, type Node, type Scalar, scalar } from "../node.ts";
import { nearest } from "../suggest.ts";
import { type Decoder, type Shape, wrong } from "./shape.ts";

/** A shape whose values are single; `read` gives the canonical value, or undefined when it is not one. */
function single<T extends Scalar>(expected: string, read: (value: Scalar) => T | undefined): Shape<T> {
  return {
    expected,
    decode(node, to) {
      if (node.kind !== "scalar") return wrong(node, to, expected);
      const value = read(node.value);
      if (value === undefined) return wrong(node, to, expected, quoteHint(expected, node.value));
      return value === node.value ? node : scalar(value, node.at);
    },
  };
}

function quoteHint(expected: string, value: Scalar): string | undefined {
  const wantsText = expected.startsWith("text");
  return wantsText && typeof value !== "string" ? `write it in quotes: "${value}"` : undefined;
}

/** A number as Go prints it, which is what the reference loader makes of `KEY: 1.50`. */
export function scalarText(value: Scalar): string {
  if (typeof value !== "number" || Number.isInteger(value) || Math.abs(value) >= 1e-4) return String(value ?? "");
  return value.toExponential().replace(/e([-+])(\d)$/, "e$10$2");
}

export const text: Shape<string> = single("text", value => (typeof value === "string" ? value : undefined));

/** Text that people often write as a number: user: 1000. */
export const numberedText: Shape<string> = single("text or a number", value =>
  typeof value === "boolean" ? undefined : scalarText(value),
);

/** Any single value, as text. */
export const anyText: Shape<string> = single("text, a number or a boolean", value => scalarText(value));

export const bool: Shape<boolean> = single("true or false", value => {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  const word = value.toLowerCase();
  if (["true", "1", "t", "y", "yes", "on"].includes(word)) return true;
  return ["false", "0", "f", "n", "no", "off"].includes(word) ? false : undefined;
});

function asNumber(value: Scalar): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\s*$/i.test(value)) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

export function integer(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  const range = max < Number.MAX_SAFE_INTEGER ? ` from ${min} to ${max}` : min > -1e15 ? ` of at least ${min}` : "";
  return single(`a whole number${range}`, value => {
    const number = asNumber(value);
    return number !== undefined && Number.isSafeInteger(number) && number >= min && number <= max ? number : undefined;
  });
}

export function decimal(min: number, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  const range = max < Number.MAX_SAFE_INTEGER ? ` from ${min} to ${max}` : ` of at least ${min}`;
  return single(`a number${range}`, value => {
    const number = asNumber(value);
    return number !== undefined && number >= min && number <= max ? number : undefined;
  });
}

export function oneOf<const T extends string>(...words: T[]): Shape<T> {
  const expected = words.length === 1 ? JSON.stringify(words[0]) : `one of ${words.join(", ")}`;
  return {
    expected,
    decode(node, to) {
      if (node.kind === "scalar" && words.some(word => word === node.value)) return node;
      const near = node.kind === "scalar" && typeof node.value === "string" ? nearest(node.value, words) : undefined;
      return wrong(node, to, expected, near && `did you mean ${near}?`);
    },
  };
}

/** Text of a form; `hint` says more when it is not. */
export function textLike(expected: string, pattern: RegExp, hint?: string): Shape<string> {
  return {
    expected,
    decode(node, to) {
      const value = node.kind === "scalar" && typeof node.value === "number" ? String(node.value) : undefined;
      const given = value ?? (node.kind === "scalar" && typeof node.value === "string" ? node.value : undefined);
      if (given === undefined || !pattern.test(given)) return wrong(node, to, expected, hint);
      return value === undefined ? node : scalar(value, node.at);
    },
  };
}

/** Canonical: as Go prints it. */
export const duration: Shape<string> = single("a duration such as 90s or 1m30s", value => {
  const found = typeof value === "string" ? parseDuration_ms(value) : value === 0 ? 0 : undefined;
  return found === undefined || found < 0 ? undefined : showDuration(found);
});

/** Microseconds, as a number or a duration. */
export const microseconds: Shape<number> = single("microseconds, or a duration such as 950ms", value => {
  const number = asNumber(value);
  if (number !== undefined) return Number.isSafeInteger(number) ? number : undefined;
  const found = typeof value === "string" ? parseDuration_ms(value) : undefined;
  return found === undefined ? undefined : Math.round(found * 1_000);
});

/** Canonical: bytes, as text. */
export const size: Shape<string> = single("a size such as 512m or 2g", value => {
  if (typeof value === "number") return Number.isSafeInteger(Math.floor(value)) ? String(Math.floor(value)) : undefined;
  const bytes = typeof value === "string" ? parseSize_bytes(value) : undefined;
  return bytes === undefined ? undefined : String(bytes);
});

/** Permission bits. A number is taken as YAML read it (0440 is octal there), text is octal. Canonical: "0440". */
export const fileMode: Shape<string> = single('permission bits such as 0440 or "0440"', value => {
  const bits = typeof value === "number" ? value : /^(0o?)?[0-7]{1,5}$/.test(String(value)) ? octal(String(value)) : -1;
  return Number.isInteger(bits) && bits >= 0 && bits <= 0o7777 ? `0${bits.toString(8)}` : undefined;
});

const octal = (digits: string) => Number.parseInt(digits.replace(/^0o/, ""), 8);

/** Says that a value is not what it should be, in the words of the one who found it. */
export function refuse(node: Node, to: Decoder, message: string, hint?: string): undefined {
  to.problems.add(node.at, to.path, `${describe(node)} ${message}`, hint);
  return undefined;
}
