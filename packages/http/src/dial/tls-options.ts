import type { TlsClientOptions } from "arborio/net";

/**
 * Options of TLS with something that speaks HTTP/1.1, checked as far as it is known here; the rest is when TLS is made.
 *
 * @throws TypeError, RangeError if there is none with these options.
 */
export function tlsOptions(where: string, given: TlsClientOptions): TlsClientOptions {
  if (typeof given !== "object" || given === null)
    throw new TypeError(`${where}: got ${String(given)}, needs an object such as { trusted }`);
  const { alpnProtocols = [] } = given;
  const isPossible =
    Array.isArray(alpnProtocols) && alpnProtocols.every((name) => name === "http/1.1");
  // Copies: what happens to the caller's objects afterwards must not change what a key stands for.
  if (isPossible) return copyOf(given);
  throw new RangeError(
    `${where}: got alpnProtocols ${JSON.stringify(alpnProtocols)}, needs ["http/1.1"], which is the default, or []`,
  );
}

/** As deep as options of TLS are. */
function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.slice() as T;
  if (value instanceof Uint8Array) return value.slice() as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copyOf(part)])) as T;
}
