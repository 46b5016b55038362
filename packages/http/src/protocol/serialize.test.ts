import assert from "node:assert/strict";
import { test } from "node:test";
import { REASONS } from "./reasons.ts";
import {
  requireFieldName,
  requireFieldValue,
  requireMethod,
  requireReason,
  requireStatus,
  requireTarget,
} from "./require-text.ts";
import { CHUNK_END, chunkHead, lastChunk, requestHead, responseHead } from "./serialize.ts";

/** 0x00 to 0x08, 0x0A to 0x1F, 0x7F. */
const CONTROLS: readonly string[] = [...Array(32).keys(), 127]
  .filter((code) => code !== 9)
  .map((code) => String.fromCharCode(code));

test("responseHead: the status line, the fields in order, the empty line", () => {
  assert.equal(
    responseHead("1.1", 200, REASONS[200] ?? "", ["Set-Cookie", "a=b", "Set-Cookie", "c=d"]),
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n",
  );
  assert.equal(responseHead("1.0", 599, "", []), "HTTP/1.0 599 \r\n\r\n");
  assert.equal(
    responseHead("1.1", 200, "caf\xe9", ["X", "\xff"]),
    "HTTP/1.1 200 caf\xe9\r\nX: \xff\r\n\r\n",
  );
});

test("requestHead: the request line, the fields in order, the empty line", () => {
  assert.equal(
    requestHead("GET", "/a?b", ["Host", "a", "X-Empty", ""]),
    "GET /a?b HTTP/1.1\r\nHost: a\r\nX-Empty: \r\n\r\n",
  );
});

test("chunkHead, CHUNK_END, lastChunk: a chunked body; a chunk of 0 bytes would end it", () => {
  assert.equal(chunkHead(255) + CHUNK_END, "ff\r\n\r\n");
  assert.equal(lastChunk([]), "0\r\n\r\n");
  assert.equal(lastChunk(["X-Sum", "1"]), "0\r\nX-Sum: 1\r\n\r\n");
  for (const bytes of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
    assert.throws(() => chunkHead(bytes), RangeError);
  }
});

test("requireFieldValue, requireReason: no control character but the tab, and nothing above 0xFF", () => {
  for (const checked of [requireFieldValue, requireReason]) {
    assert.equal(checked("a\tb \x80\xff~"), "a\tb \x80\xff~");
    for (const bad of [...CONTROLS, "\u0100", "\u010d\u010a", "€"]) {
      assert.throws(() => checked(`a${bad}`), TypeError, JSON.stringify(bad));
    }
  }
});

test("requireFieldName, requireMethod: tokens only", () => {
  for (const checked of [requireFieldName, requireMethod]) {
    assert.equal(checked("X-a_1!"), "X-a_1!");
    for (const bad of [...CONTROLS, "\t", " ", ":", "(", "/", '"', "\x80", "\u0130"]) {
      assert.throws(() => checked(`X${bad}`), TypeError, JSON.stringify(bad));
    }
    assert.throws(() => checked(""), TypeError);
  }
});

test("requireTarget: visible ASCII without a fragment", () => {
  assert.equal(requireTarget("/a%20b?c=[d]|e"), "/a%20b?c=[d]|e");
  for (const bad of [...CONTROLS, "\t", " ", "#", "\x80", "é"]) {
    assert.throws(() => requireTarget(`/${bad}`), TypeError, JSON.stringify(bad));
  }
  assert.throws(() => requireTarget(""), TypeError);
});

test("requireStatus: integers of three digits", () => {
  assert.equal(requireStatus(999), 999);
  for (const bad of [99, 1000, 200.5, Number.NaN, -200]) {
    assert.throws(() => requireStatus(bad), TypeError);
  }
});

test("responseHead: CR and LF in the version (CVE-2023-49081), the reason (CVE-2026-34519) and fields are refused before anything is written", () => {
  assert.throws(() => responseHead("1.1", 200, "OK\r\nX: a", []), TypeError);
  assert.throws(() => responseHead("1.1", 200, "OK", ["X", "a\r\nSet-Cookie: b"]), TypeError);
  assert.throws(() => responseHead("1.1", 200, "OK", ["X: a\r\nY", "b"]), TypeError);
  assert.throws(() => responseHead("1.1\r\nX: a" as "1.1", 200, "OK", []), TypeError);
  assert.throws(() => lastChunk(["X", "a\r\n\r\nHTTP/1.1 200 OK"]), TypeError);
});

test("requestHead: CR and LF in the method (CVE-2023-49082), the target and fields are refused", () => {
  assert.throws(() => requestHead("GET / HTTP/1.1\r\nX: a\r\n\r\nGET", "/", []), TypeError);
  assert.throws(() => requestHead("GET", "/ HTTP/1.1\r\nX: a", []), TypeError);
  assert.throws(() => requestHead("GET", "/", ["Content-Type", "a\nX: b"]), TypeError);
});

test("responseHead: a name without a value is an error, and errors show what was wrong", () => {
  assert.throws(() => responseHead("1.1", 200, "OK", ["X"]), /names and values in turn/);
  assert.throws(() => requireFieldValue("ab\n"), {
    message:
      'field value "ab\\n": character 0x0A at 2: no control characters and none above 0xFF were expected',
  });
});

test("REASONS: a phrase of plain words for each registered status", () => {
  assert.equal(REASONS[431], "Request Header Fields Too Large");
  for (const [status, reason] of Object.entries(REASONS)) {
    assert.match(`${status} ${reason}`, /^[1-5]\d\d [A-Z][A-Za-z -]+$/);
  }
});
