import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseChallenges } from "./challenges.ts";
import { basicCredentials, bearerCredentials, writeCredentials } from "./credentials.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# credentials: seed ${seed}`);

const refusedWithout = (secret: string) => (error: unknown) =>
  error instanceof TypeError && !error.message.includes(secret);

test("basicCredentials: the examples of RFC 7617", () => {
  assert.equal(basicCredentials("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  assert.equal(basicCredentials("test", "123£"), "Basic dGVzdDoxMjPCow==");
  assert.equal(basicCredentials("", ""), "Basic Og==");
  assert.equal(basicCredentials("a\u0308", ""), basicCredentials("\u00e4", ""));
});

test("basicCredentials: what would be read otherwise is refused, and not shown", () => {
  for (const user of ["secret:", "secret\n", "secret\0", "secret\x7f", "secret\ud800"]) {
    assert.throws(
      () => basicCredentials(user, "x"),
      refusedWithout("secret"),
      JSON.stringify(user),
    );
  }
  for (const password of ["secret\r\n", "secret\x1f", "\udfffsecret"]) {
    assert.throws(() => basicCredentials("x", password), refusedWithout("secret"));
  }
  assert.doesNotThrow(() => basicCredentials("x", "a:b"));
});

test("bearerCredentials: a token68, and nothing that could begin another field", () => {
  assert.equal(bearerCredentials("mF_9.B5f-4.1JqM+/~=="), "Bearer mF_9.B5f-4.1JqM+/~==");
  for (const token of ["", "secret secret", "secret\r\nX: y", "sec=ret", "sécret", 'secret"']) {
    assert.throws(() => bearerCredentials(token), token === "" ? TypeError : refusedWithout(token));
  }
});

test("writeCredentials: parameters are read as they were meant", () => {
  const name = fc.stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,8}$/);
  const text = fc.stringMatching(/^[\t !-~\x80-\xff]{0,20}$/);
  const property = fc.property(
    name,
    fc.dictionary(name, text, { minKeys: 1, maxKeys: 5 }),
    (scheme, parameters) => {
      assert.deepEqual(parseChallenges(writeCredentials(scheme, parameters)), [
        { scheme, token68: null, parameters: new Map(Object.entries(parameters)) },
      ]);
    },
  );
  fc.assert(property, { seed, numRuns: 300 });
  assert.equal(writeCredentials("Negotiate", "abc=="), "Negotiate abc==");
  assert.throws(() => writeCredentials("a b", "x"), /the scheme is no token/);
  assert.throws(() => writeCredentials("a", { "b c": "x" }), /the name of a parameter is no token/);
  assert.throws(() => writeCredentials("a", { b: "secret\n" }), refusedWithout("secret"));
});
