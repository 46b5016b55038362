import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { parseChallenges } from "./challenges.ts";
import {
  type DigestRequest,
  digestAuthorization,
  type HashFunction,
} from "./digest-authorization.ts";
import { chooseDigest, type DigestChallenge, type DigestHash } from "./digest-challenge.ts";
import { quoted } from "./quoted.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# digest-authorization: seed ${seed}`);

const ALL: readonly DigestHash[] = ["md5", "sha-1", "sha-256", "sha-512", "sha-512-256"];
const hash: HashFunction = (name, bytes) =>
  new Uint8Array(createHash(name.replace("sha-", "sha")).update(bytes).digest());
const hexOf = (name: string, text: string): string => createHash(name).update(text).digest("hex");

function understood(field: string): DigestChallenge {
  const challenge = chooseDigest(parseChallenges(`Digest ${field}`), ALL);
  assert.ok(challenge !== null, field);
  return challenge;
}

/** The parameters of an answer. */
function answered(challenge: DigestChallenge, request: DigestRequest): Record<string, string> {
  const [answer, ...others] = parseChallenges(digestAuthorization(challenge, request, hash));
  assert.deepEqual(others, []);
  assert.equal(answer?.scheme, "digest");
  return Object.fromEntries(answer?.parameters ?? []);
}

const MUFASA: DigestRequest = {
  method: "GET",
  target: "/dir/index.html",
  user: "Mufasa",
  password: "Circle of Life",
  cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
  nonceCount: 1,
};
const RFC_7616 = `realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;

test("digestAuthorization: the examples of RFC 7616 §3.9.1, MD5 and SHA-256", () => {
  const expected = (algorithm: string, response: string): string =>
    `Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="${response}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
  assert.equal(
    digestAuthorization(understood(`${RFC_7616}, algorithm=MD5`), MUFASA, hash),
    expected("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
  );
  assert.equal(
    digestAuthorization(understood(`${RFC_7616}, algorithm=SHA-256`), MUFASA, hash),
    expected("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
  );
});

test("digestAuthorization: the example of RFC 7616 §3.9.2, SHA-512-256 and a digested name (as of erratum 4897)", () => {
  const challenge = understood(
    'realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true',
  );
  const parameters = answered(challenge, {
    method: "GET",
    target: "/doe.json",
    user: "J\u00e4s\u00f8n Doe",
    password: "Secret, or not?",
    cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    nonceCount: 1,
  });
  assert.equal(
    parameters["username"],
    "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b",
  );
  assert.equal(
    parameters["response"],
    "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
  );
  assert.equal(parameters["userhash"], "true");
});

test("digestAuthorization: the example of RFC 2617 §3.5, and without qop that of RFC 2069 §2.4 (as of its erratum)", () => {
  const realm = 'realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
  const request = { ...MUFASA, password: "Circle Of Life", cnonce: "0a4f113b" };
  const { response } = answered(understood(`${realm}, qop="auth,auth-int"`), request);
  assert.equal(response, "6629fae49393a05397450978507c4ef1");
  const old = answered(understood(realm), { ...request, password: "CircleOfLife" });
  assert.equal(old["response"], "1949323746fe6a43ef61f9606e7febea");
  assert.deepEqual(Object.keys(old), ["username", "realm", "uri", "nonce", "response"]);
});

test("digestAuthorization: -sess binds the password to the nonce, auth-int the body to the answer", () => {
  for (const [algorithm, name] of [
    ["MD5", "md5"],
    ["SHA", "sha1"],
    ["SHA-256", "sha256"],
    ["SHA-512", "sha512"],
    ["SHA-512-256", "sha512-256"],
  ] as const) {
    const field = `realm="r", nonce="n", qop="auth-int", algorithm=${algorithm}-sess`;
    const challenge = understood(field);
    const bodyHash = hash(challenge.hash, new TextEncoder().encode("body"));
    const request = { ...MUFASA, method: "POST", nonceCount: 0xab, cnonce: "c", bodyHash };
    const a1 = `${hexOf(name, "Mufasa:r:Circle of Life")}:n:c`;
    const a2 = `POST:/dir/index.html:${hexOf(name, "body")}`;
    const response = hexOf(name, `${hexOf(name, a1)}:n:000000ab:c:auth-int:${hexOf(name, a2)}`);
    const parameters = answered(challenge, request);
    assert.equal(parameters["response"], response, algorithm);
    assert.equal(parameters["qop"], "auth-int");
    assert.equal(parameters["nc"], "000000ab");
    assert.equal(parameters["algorithm"], `${algorithm}-sess`);
    assert.throws(() => digestAuthorization(challenge, MUFASA, hash), /no bodyHash/);
    // With both, the body is protected where its digest is known.
    const both = understood(field.replace("auth-int", "auth-int,auth"));
    assert.equal(answered(both, request)["qop"], "auth-int");
    assert.equal(answered(both, { ...request, bodyHash: null })["qop"], "auth");
  }
});

test("digestAuthorization: names beyond ASCII as the server takes them", () => {
  const request = { ...MUFASA, user: "Jäsøn Doe" };
  const said = answered(understood('realm="r", nonce="n", qop=auth, charset=UTF-8'), request);
  assert.equal(said["username*"], "UTF-8''J%C3%A4s%C3%B8n%20Doe");
  assert.equal(said["username"], undefined);
  const old = answered(understood('realm="r", nonce="n", qop=auth'), request);
  assert.equal(old["username"], "J\xc3\xa4s\xc3\xb8n Doe");
  assert.equal(old["response"], said["response"]);
  // Composed where the server has said that it takes UTF-8 (RFC 7616 §4), untouched where it has not.
  const split = { ...request, user: request.user.normalize("NFD") };
  assert.deepEqual(
    answered(understood('realm="r", nonce="n", qop=auth, charset=UTF-8'), split),
    said,
  );
  const bare = answered(understood('realm="r", nonce="n", qop=auth'), split);
  assert.notEqual(bare["response"], old["response"]);
});

test("digestAuthorization: nothing that realm, nonce, name or target hold ends the quotes it stands in", () => {
  const text = fc.stringMatching(/^[ -~\x80-\xff]{0,12}$/);
  const ascii = fc.stringMatching(/^[ -~]{0,12}$/);
  const target = fc.stringMatching(/^[!"$-~]{1,12}$/);
  const property = fc.property(
    text,
    text,
    text,
    ascii,
    target,
    (realm, nonce, opaque, user, uri) => {
      const challenge = understood(
        `realm=${quoted(realm)}, nonce=${quoted(nonce)}, opaque=${quoted(opaque)}, qop=auth`,
      );
      assert.deepEqual(
        [challenge.realm, challenge.nonce, challenge.opaque],
        [realm, nonce, opaque],
      );
      const said = answered(challenge, { ...MUFASA, target: uri, user });
      assert.deepEqual(
        [said["realm"], said["nonce"], said["opaque"], said["username"], said["uri"]],
        [realm, nonce, opaque, user, uri],
      );
      const bytes = (part: string): Buffer => Buffer.from(part, "latin1");
      const secret = createHash("md5").update(bytes(`${user}:${realm}:${MUFASA.password}`));
      const end = `:00000001:${MUFASA.cnonce}:auth:${hexOf("md5", `GET:${uri}`)}`;
      const whole = bytes(`${secret.digest("hex")}:${nonce}${end}`);
      assert.equal(said["response"], createHash("md5").update(whole).digest("hex"));
    },
  );
  fc.assert(property, { seed, numRuns: 300 });
});

test("digestAuthorization: what cannot be written is refused, and no password is shown", () => {
  const challenge = understood('realm="r", nonce="n", qop=auth');
  const refused = (
    change: Partial<DigestRequest>,
    type: typeof TypeError | typeof RangeError,
  ): void => {
    const request = { ...MUFASA, password: "secret", ...change };
    const check = (error: unknown): boolean =>
      error instanceof type && !error.message.includes("secret");
    assert.throws(
      () => digestAuthorization(challenge, request, hash),
      check,
      JSON.stringify(change),
    );
  };
  refused({ method: "GET /" }, TypeError);
  refused({ target: "/ HTTP/1.1\r\nX: y" }, TypeError);
  refused({ target: "" }, TypeError);
  refused({ user: "secret\r\nX: y" }, TypeError);
  refused({ user: "\ud800secret" }, TypeError);
  refused({ password: "secret\ud800" }, TypeError);
  refused({ cnonce: "" }, TypeError);
  refused({ cnonce: "a b" }, TypeError);
  refused({ cnonce: "é" }, TypeError);
  for (const nonceCount of [0, -1, 1.5, NaN, 2 ** 32]) refused({ nonceCount }, RangeError);
  assert.match(
    digestAuthorization(challenge, { ...MUFASA, nonceCount: 2 ** 32 - 1 }, hash),
    /nc=ffffffff/,
  );
});
