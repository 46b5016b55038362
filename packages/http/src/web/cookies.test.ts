import assert from "node:assert/strict";
import { test } from "node:test";
import { deleteCookie, getCookies, setCookie } from "./cookies.ts";
import { HttpResponse } from "./http-response.ts";
import { testRequest } from "./request.test.kit.ts";

function cookiesOf(...lines: string[]): Record<string, string> {
  return Object.fromEntries(
    getCookies(testRequest({ fields: lines.flatMap((line) => ["Cookie", line]) })),
  );
}

test("getCookies: takes what is a cookie and skips what is none", () => {
  assert.deepEqual(cookiesOf(), {});
  assert.deepEqual(cookiesOf("a=1; b=2;c=3;  d = 4 "), { a: "1", b: "2", c: "3", d: "4" });
  assert.deepEqual(cookiesOf("a=1; a=2"), { a: "1" });
  assert.deepEqual(cookiesOf("a=1; c=3", "b=2; a=5"), { a: "1", b: "2", c: "3" });
  assert.deepEqual(cookiesOf("a=%20x%C3%A9; b=%zz; c=a=b"), { a: " xé", b: "%zz", c: "a=b" });
  assert.deepEqual(cookiesOf("lonely; =nameless; ; ;;a=1;==;"), { a: "1" });
  assert.deepEqual(cookiesOf('q="x y"'), { q: '"x y"' });
  assert.deepEqual(
    [...getCookies(testRequest({ fields: ["COOKIE", "__proto__=1; constructor=2"] }))],
    [
      ["__proto__", "1"],
      ["constructor", "2"],
    ],
  );
});

test("getCookies: only blanks and tabs are around a name, so that no other character makes one pass for __Host-", () => {
  assert.deepEqual(cookiesOf("\u00a0__Host-a=1; \x0b__Host-b=2"), {
    "\u00a0__Host-a": "1",
    "\x0b__Host-b": "2",
  });
});

test("getCookies: many malformed cookies cost what their bytes cost (CVE-2025-69230)", () => {
  const count = 100_000;
  assert.deepEqual(cookiesOf(`${";=".repeat(count)};${"; ".repeat(count)}x;a=1`), { a: "1" });
});

test("getCookies: of the platform's request too", () => {
  const headers = new Headers({ cookie: "a=1; b=2" });
  assert.deepEqual(
    [...getCookies({ headers } as Request)],
    [
      ["a", "1"],
      ["b", "2"],
    ],
  );
});

function setOn(name: string, value: string, options?: Parameters<typeof setCookie>[3]): string[] {
  const headers = new Headers();
  setCookie(headers, name, value, options);
  return headers.getSetCookie();
}

test("setCookie: defaults are the careful ones, and everything can be said", () => {
  assert.deepEqual(setOn("a", "1"), ["a=1; Path=/; HttpOnly; SameSite=Lax"]);
  assert.deepEqual(
    setOn("a", "1", {
      maxAgeMs: 1500,
      domain: "example.com",
      path: "/x",
      secure: true,
      httpOnly: false,
      sameSite: "none",
      partitioned: true,
    }),
    ["a=1; Max-Age=2; Domain=example.com; Path=/x; Secure; Partitioned; SameSite=None"],
  );
  assert.deepEqual(setOn("a", "1", { maxAgeMs: -5 }), [
    "a=1; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
  ]);
});

test("setCookie: any text comes back as it was, and none of it breaks out", () => {
  for (const value of [
    "",
    "a b",
    'a"b',
    "a;b=c, d",
    "\r\nSet-Cookie: x=y",
    "é€😀",
    "%41",
    "\\",
    "a=b",
  ]) {
    const [line] = setOn("n", value) as [string];
    assert.match(line, /^n=[!#-+\--:<-[\]-~]*; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.deepEqual(cookiesOf(line.slice(0, line.indexOf(";"))), { n: value });
  }
});

test("setCookie: what cannot be written is refused, and nothing is set", () => {
  const refused: [string, string, object?][] = [
    ["", "1"],
    ["a=b", "1"],
    ["a;b", "1"],
    ["a b", "1"],
    ["a\r\nX", "1"],
    ["é", "1"],
    ["a", "\ud800"],
    ["a", "1", { path: "/;secure" }],
    ["a", "1", { path: "/\r\n" }],
    ["a", "1", { domain: "a;b" }],
    ["a", "1", { domain: "a\nb" }],
    ["a", "1", { sameSite: "Bogus; x" }],
    ["a", undefined as never],
  ];
  for (const [name, value, options] of refused) {
    const headers = new Headers();
    assert.throws(() => setCookie(headers, name, value, options), TypeError, `${name}=${value}`);
    assert.deepEqual([...headers], []);
  }
  assert.throws(() => setOn("a", "1", { maxAgeMs: NaN }), RangeError);
  assert.throws(() => setOn("a", "1", { maxAgeMs: Infinity }), RangeError);
  assert.throws(() => setOn("a", "x".repeat(4095)), RangeError);
  assert.equal(setOn("a", "x".repeat(4094)).length, 1);
});

test("setCookie: prefixes hold what they promise, in any case (RFC 6265bis §4.1.3)", () => {
  for (const name of ["__Secure-a", "__secure-a", "__Host-a", "__HOST-a"]) {
    assert.throws(() => setOn(name, "1"), /needs { secure: true }/);
    assert.equal(setOn(name, "1", { secure: true }).length, 1);
  }
  assert.throws(() => setOn("__Host-a", "1", { secure: true, path: "/x" }), /no domain/);
  assert.throws(() => setOn("__host-a", "1", { secure: true, domain: "example.com" }), /no domain/);
  assert.equal(
    setOn("__Secure-a", "1", { secure: true, path: "/x", domain: "example.com" }).length,
    1,
  );
  assert.throws(() => setOn("a", "1", { sameSite: "none" }), /needs { secure: true }/);
  assert.throws(() => setOn("a", "1", { partitioned: true }), /needs { secure: true }/);
});

test("setCookie, deleteCookie: the same cookie is replaced, others stay", () => {
  const response = new HttpResponse("x", { headers: [["Set-Cookie", "other=1"]] });
  setCookie(response, "a", "1");
  setCookie(response, "a", "2", { path: "/x" });
  setCookie(response, "a", "3");
  assert.deepEqual(response.headers.getSetCookie(), [
    "other=1",
    "a=2; Path=/x; HttpOnly; SameSite=Lax",
    "a=3; Path=/; HttpOnly; SameSite=Lax",
  ]);
  deleteCookie(response, "a");
  deleteCookie(response, "__Host-s");
  deleteCookie(response, "p", { path: "/p", domain: "example.com", partitioned: true });
  assert.deepEqual(response.headers.getSetCookie(), [
    "other=1",
    "a=2; Path=/x; HttpOnly; SameSite=Lax",
    "a=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
    "__Host-s=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
    "p=; Max-Age=0; Domain=example.com; Path=/p; HttpOnly; Secure; Partitioned; SameSite=Lax",
  ]);
});
