import assert from "node:assert/strict";
import { test } from "node:test";
import { isCloseCode } from "./close-codes.ts";
import { encodeClose, parseClose } from "./close-payload.ts";
import { hex, joined } from "./frames.test.kit.ts";
import { WebSocketProtocolError } from "./websocket-protocol-error.ts";

const GOOD = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999];
const BAD = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

test("parseClose: what encodeClose wrote", () => {
  for (const code of GOOD) {
    assert.deepEqual(parseClose(encodeClose(code, "Grüße")), { code, reason: "Grüße" });
  }
  assert.deepEqual(parseClose(new Uint8Array(0)), { code: 1005, reason: "" });
  assert.equal(parseClose(encodeClose(1000, "\u{FEFF}x")).reason, "\u{FEFF}x");
});

for (const code of BAD) {
  test(`close: the code ${code} is neither sent nor taken`, () => {
    assert.equal(isCloseCode(code), false);
    assert.throws(() => encodeClose(code, ""), RangeError);
    assert.throws(
      () => parseClose(Uint8Array.of(code >>> 8, code)),
      (error) => error instanceof WebSocketProtocolError && error.closeCode === 1002,
    );
  });
}

test("close: half a code is 1002, a reason that is not UTF-8 is 1007, one that is cut too", () => {
  const codeOf = (payload: Uint8Array): number => {
    try {
      parseClose(payload);
    } catch (error) {
      if (error instanceof WebSocketProtocolError) return error.closeCode;
    }
    return 0;
  };
  assert.equal(codeOf(hex("03")), 1002);
  assert.equal(codeOf(joined([encodeClose(1000, ""), hex("ff")])), 1007);
  assert.equal(codeOf(joined([encodeClose(1000, ""), hex("c3")])), 1007);
});

test("encodeClose: a reason has at most 123 bytes, counted as UTF-8", () => {
  assert.equal(encodeClose(1000, "x".repeat(123)).length, 125);
  assert.throws(() => encodeClose(1000, "x".repeat(124)), RangeError);
  assert.throws(() => encodeClose(1000, "ü".repeat(62)), RangeError);
  assert.throws(() => encodeClose(Number.NaN, ""), RangeError);
});
