import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { decompressNowait } from "arborio/lowlevel";
import { onEveryBackend } from "arborio/testing";
import { compressedContent } from "./compressed-content.ts";

const test = onEveryBackend(nodeTest);

test("compressedContent: at once what is small; what is large holds nobody up", async () => {
  const small = "a".repeat(65_536);
  const atOnce = compressedContent(small, "gzip", []);
  assert.ok(atOnce instanceof Uint8Array);
  assert.equal(decompressNowait("gzip", atOnce).length, small.length);
  for (const large of [`${small}b`, new Uint8Array(65_537)]) {
    const stream = compressedContent(large, "gzip", []);
    assert.ok(typeof stream === "object" && !(stream instanceof Uint8Array));
    const pieces: Uint8Array[] = [];
    for await (const piece of stream) pieces.push(piece);
    assert.equal(decompressNowait("gzip", Buffer.concat(pieces)).length, large.length);
  }
});
