import type { Scalar } from "../node.ts";

/**
 * The value of an unquoted scalar: YAML 1.2 core schema, and what the reference loader adds to it (legacy octal `0440`, binary,
 * digits grouped by `_`). `yes`, `no`, `22:22`, dates, `.inf` and `.nan` stay text.
 */
export function plainScalar(text: string): Scalar {
  if (text === "") return null;
  switch (text.charCodeAt(0)) {
    case 0x7e: // ~
    case 0x4e: // N
    case 0x6e: // n
      return text === "~" || text === "null" || text === "Null" || text === "NULL" ? null : text;
    case 0x54: // T
    case 0x74: // t
      return text === "true" || text === "True" || text === "TRUE" ? true : text;
    case 0x46: // F
    case 0x66: // f
      return text === "false" || text === "False" || text === "FALSE" ? false : text;
  }
  return /^[-+.0-9]/.test(text) ? number(text) : text;
}

const decimal = /^[-+]?(?:0|[1-9][0-9]*)$/;
const based = /^([-+]?)0(?:x([0-9a-fA-F]+)|o([0-7]+)|b([01]+)|([0-7]+))$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

function number(text: string): Scalar {
  if (text.length > 64) return text;
  const digits = text.includes("_") && /[0-9]/.test(text) ? text.replaceAll("_", "") : text;
  if (decimal.test(digits)) return exact(digits, Number(digits));
  const match = based.exec(digits);
  if (match) {
    const [, sign, hexadecimal, octal, binary, legacyOctal] = match;
    const value = hexadecimal
      ? Number.parseInt(hexadecimal, 16)
      : binary
        ? Number.parseInt(binary, 2)
        : Number.parseInt(octal ?? legacyOctal ?? "", 8);
    return exact(text, sign === "-" ? -value : value);
  }
  if (float.test(digits)) {
    const value = Number(digits);
    return Number.isFinite(value) ? value : text;
  }
  return text;
}

/** A whole number beyond 2^53 stays text, digit for digit, instead of becoming another number. */
function exact(text: string, value: number): Scalar {
  return Number.isSafeInteger(value) ? value + 0 : text;
}
