import { describeValue } from "../core/arguments.ts";

const encoder: TextEncoder = new TextEncoder();

/** The bytes of what is to be written: text goes out in UTF-8. */
export function bytesOf(where: string, data: string | Uint8Array): Uint8Array {
  if (typeof data === "string") return encoder.encode(data);
  if (data instanceof Uint8Array) return data;
  throw new TypeError(`${where}: got ${describeValue(data)}, needs a string or a Uint8Array`);
}
