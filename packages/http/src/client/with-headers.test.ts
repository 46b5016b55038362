import assert from "node:assert/strict";
import { test } from "node:test";
import { givenFields } from "./request-fields.ts";
import { withHeaders } from "./with-headers.ts";

const defaults = [["accept", "text/event-stream"]] as const;
const own = [["sec-websocket-key", "own"]] as const;

const given = [
  ["Accept", "*/*"],
  ["Host", "other.test"],
  ["Sec-WebSocket-Key", "theirs"],
] as const;

/** What is sent of them, by names in lower case. */
function sent(headers: Parameters<typeof withHeaders>[0]): Record<string, string> {
  const { fields } = givenFields("test", withHeaders(headers, { defaults, own }));
  const entries: [string, string][] = [];
  for (let at = 0; at < fields.length; at += 2)
    entries.push([(fields[at] as string).toLowerCase(), fields[at + 1] as string]);
  assert.equal(new Set(entries.map(([name]) => name)).size, entries.length, "none comes twice");
  return Object.fromEntries(entries);
}

void test("withHeaders: what is given comes before defaults, and behind what the handshake needs", () => {
  const expected = { accept: "*/*", host: "other.test", "sec-websocket-key": "own" };
  assert.deepEqual(sent(Object.fromEntries(given)), expected);
  assert.deepEqual(sent(given.map(([name, value]) => [name, value])), expected);
  assert.deepEqual(sent(undefined), { accept: "text/event-stream", "sec-websocket-key": "own" });
  assert.deepEqual(sent({ accept: null }), { "sec-websocket-key": "own" });
  const nothing = { accept: undefined } as unknown as Record<string, string>;
  assert.deepEqual(sent(nothing), sent(undefined));
});

void test("withHeaders: Headers stay those of a request that may be passed on, whose Host is not", () => {
  const headers = new Headers(given.map(([name, value]) => [name, value]));
  assert.deepEqual(sent(headers), { accept: "*/*", "sec-websocket-key": "own" });
});
