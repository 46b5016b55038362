import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpError } from "./http-error.ts";
import { testRequest } from "./request.test.kit.ts";

test("HttpRequest.url: as the platform's URL, whatever the target", () => {
  const targets = [
    "/",
    "/index.html",
    "/a/b/../c/./d",
    "/..",
    "/.well-known/x",
    "/a/.b",
    "/%2e%2e/x",
    "/a/%2E%2e/b",
    "/a%20b",
    "//evil.example/x",
    "///x",
    "/a//b",
    "/\\x",
    "/a\\..\\b",
    "/?",
    "/?a=b&c=d/../e?f",
    "/x?a=%2e%2e'\"<>`{}|^",
    "/'\"<>`{}|^",
    "/é",
    "/;a=b:c@d,e!$&()*+~",
    "/x?é",
    "/[x]",
  ];
  for (const target of targets) {
    assert.equal(testRequest({ target }).url, new URL(`http://example.com${target}`).href, target);
  }
});

test("HttpRequest.url: a plain target is not parsed, however long, and a strange one not for long", () => {
  const long = `/${"a/".repeat(50_000)}?${"b=c&".repeat(50_000)}`;
  assert.equal(testRequest({ target: long }).url, `http://example.com${long}`);
  const strange = `${long}\\`;
  assert.equal(testRequest({ target: strange }).url, new URL(`http://example.com${strange}`).href);
});

test("HttpRequest.url: as the platform's URL, whatever the authority", () => {
  for (const scheme of ["http", "https"] as const) {
    for (const authority of [
      "example.com",
      "EXAMPLE.com:80",
      "h:443",
      "h:8080",
      "127.1:1",
      "[::1]",
      "[::1]:80",
      "xn--bcher-kva",
      "a_b",
      "2130706433",
    ]) {
      const request = testRequest({ scheme, authority, target: "/x" });
      assert.equal(request.url, new URL(`${scheme}://${authority}/x`).href);
      assert.equal(
        testRequest({ scheme, authority, target: "/y" }).url,
        new URL(`${scheme}://${authority}/y`).href,
      );
    }
  }
});

test("HttpRequest.url: the other forms of a target (RFC 9112 §3.2)", () => {
  assert.equal(
    testRequest({ target: "http://Other:80/x/../y", authority: "Other:80" }).url,
    "http://other/y",
  );
  assert.equal(
    testRequest({ method: "OPTIONS", target: "*", authority: "h:8" }).url,
    "http://h:8/",
  );
  assert.equal(
    testRequest({ method: "CONNECT", target: "h:443", authority: "h:443" }).url,
    "http://h:443/",
  );
  assert.equal(testRequest({ target: "/x", authority: "" }).url, "http://127.0.0.1:8000/x");
});

test("HttpRequest.url: what is no URL is 400", () => {
  for (const authority of [
    "999.1.1.1",
    "a b",
    "a@b",
    "a/b",
    "a?b",
    "a#b",
    "a\\b",
    "[::1",
    "h:99999",
  ]) {
    assert.throws(
      () => testRequest({ authority, target: "/x" }).url,
      (error) => error instanceof HttpError && error.status === 400,
      authority,
    );
  }
  assert.throws(() => testRequest({ target: "http://" }).url, HttpError);
});
