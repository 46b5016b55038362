import assert from "node:assert/strict";
import { test } from "node:test";
import { SocksHandshake } from "./socks-handshake.ts";
import type { SocksOptions } from "./socks-target.ts";

const TARGET = { host: "example.org", port: 443 } as const;

test("SocksHandshake: what the protocol cannot say is refused, and nothing secret shown", () => {
  const refused = (change: object, type: typeof TypeError | typeof RangeError): void => {
    const check = (error: unknown): boolean =>
      error instanceof type && !error.message.includes("secret");
    const options = { ...TARGET, ...change } as SocksOptions;
    assert.throws(() => new SocksHandshake(options), check, JSON.stringify(change).slice(0, 100));
  };
  refused({ version: 6 }, RangeError);
  for (const port of [0, -1, 65_536, 1.5, NaN]) refused({ port }, RangeError);
  for (const host of [
    "",
    "a b",
    "a\0b",
    "bücher.example",
    "a:1",
    "1.2.3",
    "::1%eth0",
    "[a]",
    "a".repeat(256),
  ]) {
    refused({ host }, TypeError);
  }
  refused({ resolveAt: "client" }, TypeError);
  refused({ resolveAt: "nowhere" }, TypeError);
  refused({ version: 4, host: "::1" }, TypeError);
  refused({ version: 4, host: "0.0.0.1" }, TypeError);
  refused({ version: 4, credentials: { user: "secret", password: "secret" } }, TypeError);
  refused({ version: 4, credentials: { user: "secret\0", password: "" } }, TypeError);
  refused({ credentials: { user: "", password: "secret" } }, RangeError);
  refused({ credentials: { user: "secret".repeat(43), password: "" } }, RangeError);
  refused({ credentials: { user: "a", password: "ü".repeat(128) } }, RangeError);
  assert.doesNotThrow(() => new SocksHandshake({ ...TARGET, host: "a".repeat(255) }));
});
