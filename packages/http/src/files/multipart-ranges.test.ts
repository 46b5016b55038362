import assert from "node:assert/strict";
import { test } from "node:test";
import { multipartRanges } from "./multipart-ranges.ts";

test("multipartRanges: the layout of RFC 9110 §14.6, and its exact length", () => {
  const contents = "0123456789";
  const { contentType, segments, length } = multipartRanges(
    [
      { start: 7, end: 10 },
      { start: 0, end: 2 },
    ],
    { size: 10, contentType: "text/plain; charset=utf-8", boundary: "XYZ" },
  );
  assert.equal(contentType, "multipart/byteranges; boundary=XYZ");
  const body = segments
    .map((segment) =>
      segment instanceof Uint8Array
        ? new TextDecoder().decode(segment)
        : contents.slice(segment.start, segment.end),
    )
    .join("");
  assert.equal(
    body,
    "--XYZ\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes 7-9/10\r\n\r\n789" +
      "\r\n--XYZ\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes 0-1/10\r\n\r\n01" +
      "\r\n--XYZ--\r\n",
  );
  assert.equal(length, body.length);
});
