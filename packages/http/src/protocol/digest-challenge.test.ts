import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChallenges } from "./challenges.ts";
import { chooseDigest, type DigestChallenge, digestChallenge } from "./digest-challenge.ts";

function only(field: string): DigestChallenge | null {
  const [challenge] = parseChallenges(field);
  assert.ok(challenge !== undefined, field);
  return digestChallenge(challenge);
}

test("digestChallenge: all that RFC 7616 §3.3 knows", () => {
  assert.deepEqual(
    only(
      'Digest realm="a \\"b\\"", domain="/x  https://y.example/z", nonce="n", opaque="o", stale=TRUE, algorithm=sha-256-SESS, qop="foo, auth-int , AUTH", charset=utf-8, userhash=true, more=x',
    ),
    {
      realm: 'a "b"',
      nonce: "n",
      opaque: "o",
      algorithm: "sha-256-SESS",
      hash: "sha-256",
      isSession: true,
      qops: ["auth", "auth-int"],
      isStale: true,
      hashesUser: true,
      takesUtf8: true,
      domain: ["/x", "https://y.example/z"],
    },
  );
  assert.deepEqual(only("Digest realm=r, nonce=n, stale=false, userhash=no, charset=latin1"), {
    realm: "r",
    nonce: "n",
    opaque: null,
    algorithm: null,
    hash: "md5",
    isSession: false,
    qops: [],
    isStale: false,
    hashesUser: false,
    takesUtf8: false,
    domain: [],
  });
});

test("digestChallenge: what is not understood is null", () => {
  for (const field of [
    "Basic realm=r, nonce=n",
    "Digest realm=r",
    "Digest nonce=n",
    "Digest abc==",
    "Digest realm=r, nonce=n, algorithm=MD4",
    "Digest realm=r, nonce=n, algorithm=constructor",
    "Digest realm=r, nonce=n, algorithm=SHA-512-256, qop=auth",
    'Digest realm=r, nonce=n, algorithm=""',
    "Digest realm=r, nonce=n, qop=auth-conf",
    'Digest realm=r, nonce=n, qop=""',
    "Digest realm=r, nonce=n, qop=authentic",
    "Digest realm=r, nonce=n, algorithm=MD5-sess",
  ]) {
    assert.equal(only(field), null, field);
  }
});

test("chooseDigest: the strongest that is understood, of equals the first", () => {
  const offer = (...algorithms: readonly string[]): string[] =>
    algorithms.map((name, index) => `Digest realm=r${index}, nonce=n, qop=auth, algorithm=${name}`);
  const chosen = (fields: readonly string[], hashes?: Parameters<typeof chooseDigest>[1]) => {
    const best = chooseDigest(parseChallenges([...fields]), hashes);
    return best === null ? null : `${best.realm} ${best.algorithm}`;
  };
  assert.equal(chosen(offer("MD5", "SHA-256", "SHA")), "r1 SHA-256");
  assert.equal(chosen(offer("SHA-256-sess", "SHA-256", "SHA-512")), "r2 SHA-512");
  assert.equal(chosen(offer("SHA-256-sess", "SHA-256")), "r0 SHA-256-sess");
  assert.equal(chosen(offer("SHA-512-256", "MD5", "SHA")), "r2 SHA");
  assert.equal(
    chosen(offer("SHA-512-256", "SHA-256"), ["sha-512-256", "sha-256"]),
    "r0 SHA-512-256",
  );
  assert.equal(chosen(offer("SHA-512-256", "SHA-256", "MD5"), ["md5"]), "r2 MD5");
  assert.equal(chosen(offer("SHA-999")), null);
  assert.equal(chosen(["Basic realm=x", ...offer("MD5")]), "r0 MD5");
  assert.equal(chosen([]), null);
});
