import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { allowsOrigin } from "./allows-origin.ts";
import {
  checkUpgradeRequest,
  checkUpgradeResponse,
  chooseProtocol,
  offeredProtocols,
  webSocketAccept,
  webSocketKey,
} from "./handshake.ts";

const sha1 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha1").update(bytes).digest());

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const REQUEST = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": KEY,
};
const RESPONSE = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-accept": ACCEPT };

/** Without the fields that are `null`. */
function fieldsOf(base: Record<string, string>, changes: Record<string, string | null>): Headers {
  const headers = new Headers(base);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  return headers;
}

test("webSocketAccept: the example of RFC 6455 §1.3", () => {
  assert.equal(webSocketAccept(KEY, sha1), ACCEPT);
});

test("webSocketKey: 16 bytes in base64", () => {
  assert.equal(webSocketKey(new Uint8Array(16)), "AAAAAAAAAAAAAAAAAAAAAA==");
  assert.throws(() => webSocketKey(new Uint8Array(15)), RangeError);
});

for (const changes of [
  {},
  { connection: "keep-alive, Upgrade" },
  { connection: "UPGRADE" },
  { upgrade: "WebSocket" },
  { upgrade: "h2c, websocket" },
]) {
  test(`checkUpgradeRequest: takes ${JSON.stringify(changes)}`, () => {
    assert.equal(checkUpgradeRequest("GET", fieldsOf(REQUEST, changes)), null);
  });
}

const REFUSED: readonly (readonly [status: number, changes: Record<string, string | null>])[] = [
  [426, { connection: null }],
  [426, { connection: "keep-alive" }],
  [426, { connection: "notupgrade" }],
  [426, { upgrade: null }],
  [426, { upgrade: "notwebsocket" }],
  [426, { "sec-websocket-version": null }],
  [426, { "sec-websocket-version": "8" }],
  [426, { "sec-websocket-version": "7" }],
  [426, { "sec-websocket-version": "13, 8" }],
  [400, { "sec-websocket-key": null }],
  [400, { "sec-websocket-key": "" }],
  [400, { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ" }],
  [400, { "sec-websocket-key": "dGhlIHNhbXBsZSBub25j" }],
  [400, { "sec-websocket-key": `${KEY}, ${KEY}` }],
  [400, { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZR==" }],
];

for (const [status, changes] of REFUSED) {
  test(`checkUpgradeRequest: ${status} for ${JSON.stringify(changes)}`, () => {
    const refusal = checkUpgradeRequest("GET", fieldsOf(REQUEST, changes));
    assert.equal(refusal?.status, status);
    if (changes["sec-websocket-version"] !== undefined)
      assert.deepEqual(refusal?.fields.at(-1), ["sec-websocket-version", "13"]);
  });
}

test("checkUpgradeRequest: only GET", () => {
  assert.equal(checkUpgradeRequest("POST", fieldsOf(REQUEST, {}))?.status, 405);
});

test("checkUpgradeResponse: takes a good one, also with fields in other cases", () => {
  const question = { key: KEY, protocols: ["chat", "Chat.2"] };
  for (const changes of [
    {},
    { upgrade: "WebSocket", connection: "keep-alive, upgrade" },
    { "sec-websocket-protocol": "Chat.2" },
  ])
    assert.equal(checkUpgradeResponse(101, fieldsOf(RESPONSE, changes), question, sha1), null);
});

for (const [status, changes, wanted] of [
  [200, {}, /status is 200/],
  [101, { upgrade: null }, /Upgrade is missing/],
  [101, { upgrade: "h2c" }, /Upgrade is "h2c"/],
  [101, { connection: "keep-alive" }, /Connection is "keep-alive"/],
  [101, { "sec-websocket-accept": null }, /Accept is missing/],
  [101, { "sec-websocket-accept": ACCEPT.toLowerCase() }, /Accept is/],
  [101, { "sec-websocket-protocol": "other" }, /Protocol is "other", needs one.*chat/],
  [101, { "sec-websocket-protocol": "CHAT" }, /Protocol is "CHAT"/],
] as const) {
  test(`checkUpgradeResponse: refuses ${status} ${JSON.stringify(changes)}`, () => {
    const fields = fieldsOf(RESPONSE, changes);
    const problem = checkUpgradeResponse(status, fields, { key: KEY, protocols: ["chat"] }, sha1);
    assert.match(problem ?? "", wanted);
  });
}

test("chooseProtocol: the server's order decides", () => {
  const offered = offeredProtocols(new Headers({ "sec-websocket-protocol": "a, b ,,c" }));
  assert.deepEqual(offered, ["a", "b", "c"]);
  assert.equal(chooseProtocol(offered, ["x", "c", "a"]), "c");
  assert.equal(chooseProtocol(offered, ["A"]), null);
  assert.deepEqual(offeredProtocols(new Headers()), []);
});

for (const [isAllowed, origin, host, allowed] of [
  [true, null, "example.org", []],
  [true, "https://example.org", "example.org", []],
  [true, "http://example.org", "example.org:80", []],
  [true, "https://example.org", "example.org:443", []],
  [true, "http://localhost:8080", "localhost:8080", []],
  [true, "https://EXAMPLE.org", "example.org", []],
  [false, "https://evil.test", "example.org", []],
  [false, "https://example.org.evil.test", "example.org", []],
  [false, "https://example.org:8443", "example.org", []],
  [false, "https://evil.test/example.org", "example.org", []],
  [false, "https://example.org@evil.test", "example.org", []],
  [false, "null", "example.org", []],
  [false, "", "", []],
  [true, "https://app.test", "example.org", ["https://app.test"]],
  [false, "http://app.test", "example.org", ["https://app.test"]],
  [true, "https://evil.test", "example.org", "any"],
  [true, "https://a.app.test", "example.org", (one: string) => one.endsWith(".app.test")],
] as const) {
  test(`allowsOrigin: ${isAllowed} for ${origin} at ${JSON.stringify(host)}, ${typeof allowed === "function" ? "a function" : JSON.stringify(allowed)} allowed`, () => {
    assert.equal(allowsOrigin(origin, host, allowed), isAllowed);
  });
}
