import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, ipFamily, isIpAddress } from "./address.ts";

test("isIpAddress: numeric addresses of both families, with a scope; nothing else", () => {
  const addresses = [
    ["127.0.0.1", 4],
    ["0.0.0.0", 4],
    ["255.255.255.255", 4],
    ["::", 6],
    ["::1", 6],
    ["1::", 6],
    ["1:2:3:4:5:6:7:8", 6],
    ["1:2:3:4:5:6:7::", 6],
    ["::ffff:1.2.3.4", 6],
    ["FE80::aBcD%eth0", 6],
    ["fe80::1%2", 6],
  ] as const;
  for (const [address, family] of addresses) {
    assert.equal(ipFamily(address), family, address);
    assert.equal(isIpAddress(address), true);
  }
  const others = [
    "",
    "localhost",
    "127.1",
    "127.0.0.01",
    "256.0.0.1",
    "1.2.3",
    "1.2.3.4.5",
    "[::1]",
    "::1%",
    "::1%a%b",
  ];
  const malformed = [
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1.2.3.4::",
    "::1:",
    "g::",
  ];
  for (const other of [...others, ...malformed]) assert.equal(isIpAddress(other), false, other);
  for (const other of [undefined, null, 1, {}]) assert.equal(isIpAddress(other as never), false);
});

test("isIpAddress: agrees with the runtime on random text that looks like an address", () => {
  const piece = fc.constantFrom(
    "0",
    "1",
    "12",
    "255",
    "256",
    "01",
    "ffff",
    "fffff",
    "A",
    "g",
    ".",
    ":",
    "::",
    "%",
    "eth0",
  );
  const random = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(""));
  const valid = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(fc.oneof(random, valid), (text) => {
      assert.equal(ipFamily(text) ?? 0, isIP(text), text);
    }),
    { numRuns: 3000 },
  );
});

test("formatAddress: as people write them", () => {
  assert.equal(formatAddress({ host: "127.0.0.1", port: 80 }), "127.0.0.1:80");
  assert.equal(formatAddress({ host: "fe80::1%eth0", port: 0 }), "[fe80::1%eth0]:0");
  assert.equal(formatAddress({ path: "/tmp/a.sock" }), "/tmp/a.sock");
  assert.equal(formatAddress({ path: "\0name" }), "@name");
  assert.equal(formatAddress({ path: "" }), "(unnamed)");
});
