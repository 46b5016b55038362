import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isIpAddress } from "arborio/net";
import { addressBytes, formatAddressBytes, parseAddress, parseAddressRange } from "./ip-address.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# ip-address: seed ${seed}`);

test("parseAddress: takes what is an address, as the system's own reading of them does", () => {
  const pieces = [
    "0",
    "1",
    "10",
    "255",
    "256",
    "01",
    ".",
    ":",
    "::",
    "ffff",
    "fffff",
    "a",
    "%e",
    "1.2.3.4",
    "g",
  ];
  const text = fc
    .array(fc.constantFrom(...pieces), { maxLength: 16 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(text, fc.ipV4(), fc.ipV6()), (address) => {
      assert.equal(parseAddress(address) !== null, isIpAddress(address), address);
    }),
    { seed, numRuns: 2000 },
  );
});

test("addressBytes, formatAddressBytes: what is written is read as it was, in the one form of RFC 5952", () => {
  const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
    fc
      .array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: length, maxLength: length })
      .map((all) => Uint8Array.from(all));
  const property = fc.property(fc.oneof(bytes(4), bytes(16)), (address) => {
    assert.deepEqual(addressBytes(formatAddressBytes(address)), address);
  });
  fc.assert(property, { seed, numRuns: 500 });
  for (const [given, expected] of [
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["0:0:1::", "0:0:1::"],
    ["1.2.3.4", "1.2.3.4"],
    ["::ffff:1.2.3.4", "::ffff:102:304"],
  ] as const) {
    assert.equal(formatAddressBytes(addressBytes(given) as Uint8Array), expected);
  }
  for (const other of ["fe80::1%eth0", "localhost", "", "1.2.3", "[::1]"]) {
    assert.equal(addressBytes(other), null, other);
  }
});

test("parseAddressRange: what is none is null", () => {
  assert.equal(parseAddressRange("10.1.2.3/8")?.prefixBits, 104);
  assert.equal(parseAddressRange("10.1.2.3")?.prefixBits, 128);
  assert.equal(parseAddressRange("fd00::/8")?.prefixBits, 8);
  for (const text of [
    "",
    "/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/08",
    "a/8",
    "::1%e/8",
    "1.2.3.4/8/8",
  ]) {
    assert.equal(parseAddressRange(text), null, text);
  }
});
