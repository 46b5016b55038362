import assert from "node:assert/strict";
import { isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { isAuthority, isAuthorityWithPort } from "./authority.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# authority: seed ${seed}`);

/** What hosts are made of, and what resembles it. */
const PIECES = [
  ..."abcxyz0123456789.-_~:[]%@/\\!$&'()*+,;= \t\0é".split(""),
  "::",
  "127.0.0.1",
  "0x7f",
  "255",
  "256",
  "ffff",
  "[::1]",
  "localhost",
  ":80",
  ":65535",
];
const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 9 }).map((all) => all.join(""));
const addresses = fc
  .array(fc.constantFrom("", "0", "1", "ffff", "12345", "1.2.3.4", "g"), { maxLength: 9 })
  .map((groups) => `[${groups.join(":")}]`);
const numbers = fc
  .array(fc.constantFrom("0", "1", "01", "255", "256", "0x1", "a", ""), { maxLength: 5 })
  .map((parts) => parts.join("."));

test("isAuthority: what it takes is the host of a URL, unchanged but for case", () => {
  const property = fc.property(fc.oneof(texts, numbers), (text) => {
    // IPv6 addresses: below. Bun refuses some in URLs, as [1:1::0:1:1.2.3.4].
    if (text.startsWith("[") || !isAuthority(text)) return;
    const url = new URL(`http://${text}/`);
    assert.equal(`${url.username}${url.password}${url.search}${url.hash}`, "", text);
    assert.equal(url.pathname, "/", text);
    assert.equal(url.hostname, text.toLowerCase().replace(/:[0-9]*$/, ""), text);
  });
  fc.assert(property, { seed, numRuns: 3000 });
});

test("isAuthority: IPv6 addresses, and nothing else in brackets", () => {
  const property = fc.property(addresses, (text) => {
    assert.equal(isAuthority(text), isIPv6(text.slice(1, -1)), text);
  });
  fc.assert(property, { seed, numRuns: 3000 });
});

test("isAuthorityWithPort: a port of digits that there is", () => {
  for (const text of ["a:0", "a:65535", "[::1]:443", "1.2.3.4:1"]) {
    assert.ok(isAuthorityWithPort(text), text);
  }
  for (const text of ["a", "a:", "a:65536", ":80", "[::1]", "a:b:80", "a:8a", ""]) {
    assert.ok(!isAuthorityWithPort(text), text);
  }
});
