import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Challenge, parseAuthenticationInfo, parseChallenges } from "./challenges.ts";
import { quoted } from "./quoted.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# challenges: seed ${seed}`);

/** A challenge on one line, values between angle brackets. */
const plain = ({ scheme, token68, parameters }: Challenge): string =>
  [
    scheme,
    ...(token68 === null ? [] : [`(${token68})`]),
    ...[...parameters].map(([name, value]) => `${name}=<${value}>`),
  ].join(" ");

const table: readonly (readonly [field: string, challenges: readonly string[]])[] = [
  // RFC 9110 §11.6.1, RFC 7617 §2, RFC 7616 §3.9.1, RFC 4559 §4.2.
  [
    'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
    ['newauth realm=<apps> type=<1> title=<Login to "apps">', "basic realm=<simple>"],
  ],
  ['Basic realm="foo", charset="UTF-8"', ["basic realm=<foo> charset=<UTF-8>"]],
  ["Negotiate", ["negotiate"]],
  ["Negotiate a87421000492aa874209af8bc028", ["negotiate (a87421000492aa874209af8bc028)"]],
  ["Negotiate, NTLM ,Basic realm=x", ["negotiate", "ntlm", "basic realm=<x>"]],
  ["Negotiate YII==, Basic realm=x", ["negotiate (YII==)", "basic realm=<x>"]],
  ["Scheme a=", ["scheme (a=)"]],
  ["Scheme a=b==", ["scheme a=<b==>"]],
  // White space and empty members.
  [' , ,Basic\t realm = "x" ,\t, charset = y , , Other', ["basic realm=<x> charset=<y>", "other"]],
  ["Basic , realm=x", ["basic realm=<x>"]],
  ["Basic, realm=x", ["basic realm=<x>"]],
  // Commas, quotes and what looks like a challenge, in quotes.
  ['Digest realm="a, Basic realm=b", nonce=c', ["digest realm=<a, Basic realm=b> nonce=<c>"]],
  [
    'Digest realm="\\\\", nonce="\\"," , Basic realm=d',
    ['digest realm=<\\> nonce=<",>', "basic realm=<d>"],
  ],
  // Names without regard to case; values as they are.
  ["DIGEST Realm=A", ["digest realm=<A>"]],
  ['Basic realm=""', ["basic realm=<>"]],
  ['Basic realm="é"', ["basic realm=<é>"]],
  // Where the grammar breaks, what is whole before it counts.
  ["", []],
  [" ,, ", []],
  ['"x"', []],
  ["=x", []],
  ["Basic realm", ["basic (realm)"]],
  ["Basic realm x", []],
  ["Basic realm=x y", []],
  ["Basic=x", []],
  ['Basic"x"', []],
  ["Basic realm=x, Digest realm=y realm=z", ["basic realm=<x>"]],
  ["Basic realm=x, Digest realm=y, realm=z, Other", ["basic realm=<x>"]],
  ['Basic realm=x, Digest realm="y, Other', ["basic realm=<x>"]],
  ['Basic realm=x, Digest realm="y"z, Other', ["basic realm=<x>"]],
  ["Basic realm=x, Digest realm=, Other", ["basic realm=<x>", "digest (realm=)", "other"]],
  ["Basic realm=x, Digest a=b, realm=, Other", ["basic realm=<x>"]],
  ['Basic realm=x, Digest realm="\0", Other', ["basic realm=<x>"]],
  ["Basic realm=x, €, Other", ["basic realm=<x>"]],
];

test("parseChallenges: several challenges in one field, to the letter of the grammar", () => {
  for (const [field, expected] of table) {
    assert.deepEqual(parseChallenges(field).map(plain), expected, field);
  }
});

test("parseChallenges: several fields; one that is broken takes nothing from the next", () => {
  const fields = ['Digest realm="open', "Basic realm=x", "", "Negotiate"];
  assert.deepEqual(parseChallenges(fields).map(plain), ["basic realm=<x>", "negotiate"]);
});

test("parseChallenges: what is written is read as it was meant", () => {
  const name = fc.stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,8}$/);
  const text = fc.stringMatching(/^[\t !-~\x80-\xff]{0,20}$/);
  const challenge = fc.record({
    scheme: name,
    parameters: fc.dictionary(name, text, { minKeys: 1, maxKeys: 5 }),
  });
  const property = fc.property(
    fc.array(challenge, { maxLength: 5 }),
    fc.boolean(),
    (list, joined) => {
      const fields = list.map(({ scheme, parameters }) => {
        const pairs = Object.entries(parameters).map(([key, value]) => `${key}=${quoted(value)}`);
        return `${scheme} ${pairs.join(", ")}`;
      });
      const read = parseChallenges(joined ? fields.join(", ") : fields);
      const expected = list.map(({ scheme, parameters }) => ({
        scheme,
        token68: null,
        parameters: new Map(Object.entries(parameters)),
      }));
      assert.deepEqual(read, expected);
    },
  );
  fc.assert(property, { seed, numRuns: 300 });
});

test("parseChallenges: how many are read is limited, and hostile fields take linear time", () => {
  assert.equal(parseChallenges("a,".repeat(1000)).length, 32);
  const parameters = Array.from({ length: 33 }, (_, index) => `p${index}=v`);
  assert.equal(parseChallenges(`Basic ${parameters.slice(1).join(",")}`)[0]?.parameters.size, 32);
  assert.deepEqual(parseChallenges(`Basic ${parameters.join(",")}`), []);
  const LENGTH = 200_000;
  const start = performance.now();
  for (const piece of ["a", "a ", "=", "a=", "\\", '"', '\\"', " ", ",", "a,", "a b,"]) {
    const text = piece.repeat(LENGTH / piece.length);
    parseChallenges([text, `a ${text}`, `a b="${text}`, `a b=${text}`, `a ${text}\0`]);
  }
  // Linear time is well below a second.
  assert.ok(performance.now() - start < 20_000);
});

test("parseAuthenticationInfo: parameters, or null", () => {
  assert.deepEqual(
    parseAuthenticationInfo('nextnonce="x, y", Qop=auth,, nc=00000001'),
    new Map([
      ["nextnonce", "x, y"],
      ["qop", "auth"],
      ["nc", "00000001"],
    ]),
  );
  assert.deepEqual(parseAuthenticationInfo(""), new Map());
  for (const broken of ["a", "a=b c", 'a="b', "a=b, a=c", "=", "a=b, c"]) {
    assert.equal(parseAuthenticationInfo(broken), null, broken);
  }
});
