/** JSON with bytes: a Buffer travels as `{"$bytes": "<base64>"}`, so that log records keep their exact content. Functions and signals are left out. */
export function encodeValue(value: unknown): string {
  return JSON.stringify(value, function (key, current) {
    // JSON.stringify calls Buffer's toJSON first: look at the original.
    const original = (this as Record<string, unknown>)[key];
    if (Buffer.isBuffer(original)) return { $bytes: original.toString("base64") };
    if (typeof original === "function" || original instanceof AbortSignal) return undefined;
    return current;
  });
}

export function decodeValue(text: string): unknown {
  return JSON.parse(text, (_key, value) =>
    value !== null && typeof value === "object" && typeof value.$bytes === "string"
      ? Buffer.from(value.$bytes, "base64")
      : value,
  );
}
