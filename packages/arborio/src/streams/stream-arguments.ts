import { describeValue } from "../core/arguments.ts";

/** Throws `TypeError` unless `stream` looks like something to receive from. */
export function requireReceiver(where: string, stream: unknown): void {
  requireMethods(where, stream, ["receive", "close"]);
}

/** Throws `TypeError` unless `stream` looks like something to send to. */
export function requireSender(where: string, stream: unknown): void {
  requireMethods(where, stream, ["send", "close"]);
}

function requireMethods(where: string, stream: unknown, names: readonly string[]): void {
  const methods = (stream ?? {}) as Record<string, unknown>;
  if (names.every((name) => typeof methods[name] === "function")) return;
  throw new TypeError(
    `${where}: got ${describeValue(stream)}, needs a stream with ${names.join(" and ")}`,
  );
}
