import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { netrcCredentials, type NetrcEntry, parseNetrc } from "./netrc.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# netrc: seed ${seed}`);

/** Entries on one line each; what is missing is `-`. */
const plain = (entries: readonly NetrcEntry[]): string[] =>
  entries.map(({ machine, login, password, account }) =>
    [machine ?? "*", login, password, account].map((value) => value ?? "-").join(" "),
  );

const table: readonly (readonly [text: string, entries: readonly string[]])[] = [
  ["", []],
  [" \r\n\t", []],
  ["machine a login b password c account d", ["a b c d"]],
  ["machine\n a\r\n\tlogin\n\n b password\tc", ["a b c -"]],
  ["machine a password c", ["a - c -"]],
  ["machine a user b", ["a b - -"]],
  [
    "machine A.Example login b\nmachine c\ndefault login d",
    ["a.example b - -", "c - - -", "* d - -"],
  ],
  ["machine a login b login c", ["a c - -"]],
  ["\ufeffmachine a", ["a - - -"]],
  // What looks like a word is a value where one is due.
  ["machine machine login password password login", ["machine password login -"]],
  ["machine a login #b password #c", ["a #b #c -"]],
  // Comments where a word may stand.
  ["# machine x\nmachine a # login x\nlogin b #password x\n#", ["a b - -"]],
  ["#", []],
  ["machine a login b#c", ["a b#c - -"]],
  // Quotes.
  ['machine "a" login "b c" password "\\"\\\\d\\e# "', ['a b c "\\de#  -']],
  ['machine a password ""', ["a -  -"]],
  ['machine a password b"c\\d', ['a - b"c\\d -']],
  ["machine a password b\u00a0c", ["a - b\u00a0c -"]],
  // Macros, up to an empty line or the end.
  ["macdef init\ncd /x\nmachine x\n\nmachine a", ["a - - -"]],
  ["machine a\nmacdef init more\r\nput y\r\n\r\nlogin b", ["a b - -"]],
  ["machine a macdef init", ["a - - -"]],
  ["machine a macdef init\nput y\n \nput z", ["a - - -"]],
  ["macdef init\n\nmachine a", ["a - - -"]],
];

test("parseNetrc: machines, defaults, macros, comments and quotes", () => {
  for (const [text, expected] of table) {
    assert.deepEqual(plain(parseNetrc(text)), expected, JSON.stringify(text));
  }
});

test("parseNetrc: what breaks the grammar is said with its line, and nothing of what stands there", () => {
  for (const [text, line] of [
    ["machine", 1],
    ["machine a login", 1],
    ["machine a\nlogin b\npassword", 3],
    ["login secret", 1],
    ["\n\npassword secret", 3],
    ["machine a\npassword my secret", 2],
    ["machine a password secret\nsecret", 2],
    ['machine a\r\nlogin b\r\npassword "secret', 3],
    ['machine a\npassword "sec\nret"', 2],
    ['machine a\npassword "secret"secret', 2],
    ['machine a\npassword "secret\\', 2],
    ['machine a\npassword\n\n"secret', 4],
    ["Machine secret", 1],
    ["machine a\nmacdef x\n\n\nsecret", 5],
  ] as const) {
    const check = (error: unknown): boolean => {
      assert.ok(error instanceof SyntaxError, text);
      assert.match(error.message, new RegExp(`^netrc, line ${line}: `), text);
      return !error.message.includes("sec");
    };
    assert.throws(() => parseNetrc(text), check, text);
  }
  assert.equal(parseNetrc(" ".repeat(1_048_576)).length, 0);
  assert.throws(() => parseNetrc(" ".repeat(1_048_577)), RangeError);
});

test("parseNetrc: what is written is read as it was meant", () => {
  const text = fc.string({ unit: "binary" }).map((value) => value.replace(/[\r\n]/g, ""));
  const property = fc.property(fc.array(fc.tuple(text, text, text)), (list) => {
    const quote = (value: string): string => `"${value.replace(/["\\]/g, "\\$&")}"`;
    const lines = list.map(
      ([machine, login, password]) =>
        `machine ${quote(machine)} login ${quote(login)}\npassword ${quote(password)} # x`,
    );
    assert.deepEqual(
      parseNetrc(lines.join("\n")),
      list.map(([machine, login, password]) => ({
        machine: machine.toLowerCase(),
        login,
        password,
        account: null,
      })),
    );
  });
  fc.assert(property, { seed, numRuns: 200 });
});

test("parseNetrc: hostile files take linear time", () => {
  const LENGTH = 1_000_000;
  const start = performance.now();
  for (const piece of [
    '"',
    "\\",
    '\\"',
    "#",
    "\n",
    "# \n",
    " ",
    "macdef a\n",
    "machine a ",
    "machine a\n",
  ]) {
    for (const before of ["", "machine ", 'machine "', "macdef a\n"]) {
      try {
        parseNetrc(`${before}${piece.repeat((LENGTH - before.length) / piece.length)}`);
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error));
      }
    }
  }
  // Linear time is a second or two.
  assert.ok(performance.now() - start < 30_000);
});

test("netrcCredentials: the first entry for the host and user, else that for all others", () => {
  const entries = parseNetrc(
    "machine a.example login u password 1\nmachine a.example login v password 2\nmachine b.example password 3\nmachine c.example\ndefault login d password 4",
  );
  for (const [host, user, expected] of [
    ["a.example", null, "u 1"],
    ["A.Example", null, "u 1"],
    ["a.example", "v", "v 2"],
    ["a.example", "w", "none"],
    ["b.example", null, " 3"],
    ["b.example", "w", "w 3"],
    ["c.example", null, "none"],
    ["x.a.example", null, "d 4"],
    ["", null, "d 4"],
    ["x", "d", "d 4"],
    ["x", "w", "none"],
  ] as const) {
    const found = netrcCredentials(entries, host, user);
    const shown = found === null ? "none" : `${found.user} ${found.password}`;
    assert.equal(shown, expected, `${host} ${user}`);
  }
  assert.equal(netrcCredentials(parseNetrc("machine a login b"), "c"), null);
  assert.deepEqual(netrcCredentials(parseNetrc("machine a login b"), "a"), {
    user: "b",
    password: "",
  });
});
