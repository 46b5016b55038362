import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNoProxy } from "./no-proxy.ts";

/** What an entry matches, and what not: hosts with a port where it is not 80. */
const table: readonly (readonly [
  entries: string,
  matched: readonly string[],
  others: readonly string[],
])[] = [
  ["", [], ["example.org", "localhost", "127.0.0.1", "::1"]],
  ["*", ["example.org", "127.0.0.1", "::1"], []],
  ["a.example, *", ["b.example"], []],
  [
    "example.org",
    ["example.org", "a.example.org", "a.b.example.org", "EXAMPLE.ORG", "example.org."],
    ["badexample.org", "org", "example.org.evil"],
  ],
  [".example.org", ["example.org", "a.example.org"], ["badexample.org"]],
  ["*.example.org", ["a.example.org", "a.b.example.org"], ["example.org", "badexample.org"]],
  ["Example.ORG.", ["example.org", "a.example.org."], ["org"]],
  [
    "example.org:8080",
    ["example.org 8080", "a.example.org 8080"],
    ["example.org", "example.org 808"],
  ],
  ["a,b  c\td\n,,e", ["a", "b", "c", "d", "e"], ["f", ""]],
  ["127.0.0.1", ["127.0.0.1", "::ffff:127.0.0.1"], ["127.0.0.2", "a.127.0.0.1.example"]],
  ["127.0.0.1:81", ["127.0.0.1 81"], ["127.0.0.1"]],
  ["0.0.1", [], ["127.0.0.1"]],
  ["10.1.2.3/8", ["10.0.0.0", "10.255.255.255"], ["11.0.0.0", "10.example"]],
  ["::1", ["::1", "0:0::1"], ["::2"]],
  ["[::1]", ["::1"], ["::2"]],
  ["[::1]:81", ["::1 81"], ["::1"]],
  ["fd00::/8", ["fd12::1", "fdff::"], ["fe80::1", "10.0.0.1"]],
  ["bücher.example", ["xn--bcher-kva.example", "a.xn--bcher-kva.example"], ["bucher.example"]],
  ["localhost", ["localhost", "a.localhost"], ["127.0.0.1"]],
  // No entries, which match nothing, and spoil nothing.
  [
    ":80, [::1, ], 10.0.0.0/99, a:b:c, ., *., é/, b.example",
    ["b.example"],
    ["a", "10.0.0.1", "::1", ""],
  ],
];

test("parseNoProxy: names, addresses, ranges and ports", () => {
  for (const [entries, matched, others] of table) {
    const isExempt = parseNoProxy(entries);
    for (const [expected, hosts] of [
      [true, matched],
      [false, others],
    ] as const) {
      for (const text of hosts) {
        const [host = "", port = "80"] = text.split(" ");
        assert.equal(isExempt(host, Number(port)), expected, `${JSON.stringify(entries)}: ${text}`);
      }
    }
  }
});
