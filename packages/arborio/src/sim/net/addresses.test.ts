import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ip,
  isBroadcast,
  isLoopback,
  isMulticast,
  isWildcard,
  mapped,
  parseIp,
  unmapped,
} from "./addresses.ts";

test("parseIp: one spelling for each address, as in RFC 5952", () => {
  for (const [text, canonical] of [
    ["10.0.0.1", "10.0.0.1"],
    ["::", "::"],
    ["::1", "::1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["1::", "1::"],
    ["fe80::1%eth0", "fe80::1"],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
    ["::ffff:a00:1", "::ffff:10.0.0.1"],
    ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
  ] as const)
    assert.equal(parseIp(text)?.text, canonical, text);
});

test("parseIp: what is no address is none", () => {
  for (const text of [
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "01.2.3.4",
    "1:2:3",
    "1::2::3",
    ":::",
    "::12345",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1.2.3",
    "[::1]",
  ])
    assert.equal(parseIp(text), undefined, text);
  assert.throws(() => ip("no"), TypeError);
});

test("addresses: which are loopback, wildcard, multicast and broadcast", () => {
  assert.ok(isLoopback(ip("127.9.9.9")) && isLoopback(ip("::1")) && !isLoopback(ip("10.0.0.1")));
  assert.ok(isWildcard(ip("0.0.0.0")) && isWildcard(ip("::")) && !isWildcard(ip("::1")));
  assert.ok(
    isMulticast(ip("239.1.1.1")) && isMulticast(ip("ff02::1")) && !isMulticast(ip("240.0.0.1")),
  );
  assert.ok(isBroadcast(ip("255.255.255.255")) && !isBroadcast(ip("255.255.255.254")));
});

test("addresses: mapped and unmapped are one another's reverse", () => {
  assert.equal(mapped(ip("192.168.1.2")).text, "::ffff:192.168.1.2");
  assert.deepEqual(unmapped(mapped(ip("192.168.1.2"))), ip("192.168.1.2"));
  assert.equal(unmapped(ip("::1")).text, "::1");
});
