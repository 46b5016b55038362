import { describeValue } from "../core/arguments.ts";

/** What changes hands with a value. Kept apart from the value, so that a function which uses it can also be called as it is. */
const lists: WeakMap<object, readonly object[]> = new WeakMap();

/**
 * Says what changes hands when a function returns `value` from a thread, instead of being copied. The value itself is returned as it is, so
 * that the function is of the same use when it is called in its own thread.
 *
 * @param value what the function returns.
 * @param transfer array buffers, ports and streams in it. In the thread they are of no use any more after that.
 * @throws TypeError if `value` is no object, or `transfer` no array of objects.
 *
 * Counterpart: `Comlink.transfer`, Piscina's `move`.
 *
 * @example A result that is not copied
 * ```ts
 * import { transferred } from "arborio/threads";
 *
 * export function zeros(length: number): Uint8Array<ArrayBuffer> {
 *   const bytes = new Uint8Array(length);
 *   return transferred(bytes, [bytes.buffer]);
 * }
 *
 * console.assert(zeros(3).length === 3);
 * ```
 */
export function transferred<T extends object>(value: T, transfer: readonly object[]): T {
  if (typeof value !== "object" || value === null)
    throw new TypeError(
      `transferred(value, transfer): got ${describeValue(value)}, needs an object`,
    );
  requireTransfer("transferred(value, transfer)", transfer);
  lists.set(value, transfer);
  return value;
}

/** What changes hands with `value`; `undefined` if nothing. */
export function transferOf(value: unknown): readonly object[] | undefined {
  return typeof value === "object" && value !== null ? lists.get(value) : undefined;
}

/** Throws `TypeError` unless `transfer` is an array of objects. */
export function requireTransfer(where: string, transfer: unknown): void {
  if (Array.isArray(transfer)) {
    const wrong: unknown = transfer.find((one) => typeof one !== "object" || one === null);
    if (wrong === undefined) return;
    throw new TypeError(
      `${where}: got an array with ${describeValue(wrong)}, needs array buffers, ports or streams`,
    );
  }
  throw new TypeError(
    `${where}: got ${describeValue(transfer)}, needs an array such as [bytes.buffer]`,
  );
}
