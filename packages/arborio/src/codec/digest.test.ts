import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { InvalidStateError, NotSupportedError, run } from "../index.ts";
import {
  type Backend,
  createDigest,
  type DigestAlgorithm,
  random,
  randomBytes,
} from "../lowlevel.ts";
import { simulator } from "../sim.ts";
import { onEveryBackend } from "../testing.ts";

const test = onEveryBackend(nodeTest);

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

// RFC 1321, A.5; FIPS 180-2, B.1 and C.1 and A.1.
const OF_ABC: Readonly<Record<DigestAlgorithm, string>> = {
  md5: "900150983cd24fb0d6963f7d28e17f72",
  "sha-1": "a9993e364706816aba3e25717850c26c9cd0d89d",
  "sha-256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  "sha-512":
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
};

test("createDigest: gives the published digests, however the bytes are split", () => {
  for (const [algorithm, expected] of Object.entries(OF_ABC) as [DigestAlgorithm, string][]) {
    assert.equal(hex(createDigest(algorithm).update(encode("abc")).digest()), expected);
    const digest = createDigest(algorithm);
    for (const letter of ["", "a", "", "bc"]) digest.update(encode(letter));
    assert.equal(hex(digest.digest()), expected);
  }
  const bytes = createDigest("md5").digest();
  assert.deepEqual(
    [hex(bytes), bytes.constructor],
    ["d41d8cd98f00b204e9800998ecf8427e", Uint8Array],
  );
});

test("createDigest: with a key it is the HMAC (RFC 2202, test case 2; RFC 4231, test case 2)", () => {
  const of = (algorithm: DigestAlgorithm): string =>
    hex(
      createDigest(algorithm, { key: encode("Jefe") })
        .update(encode("what do ya want "))
        .update(encode("for nothing?"))
        .digest(),
    );
  assert.equal(of("md5"), "750c783e6ab0b503eaa86e310a5db738");
  assert.equal(of("sha-1"), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  assert.equal(of("sha-256"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
});

test("createDigest: a digest is taken once; wrong arguments are said", () => {
  const digest = createDigest("sha-256").update(encode("abc"));
  digest.digest();
  assert.throws(() => digest.digest(), InvalidStateError);
  assert.throws(() => digest.update(encode("x")), InvalidStateError);
  assert.throws(() => createDigest("sha1" as never), /got "sha1", needs one of md5, sha-1/);
  assert.throws(() => createDigest("md5", { key: "text" as never }), TypeError);
  assert.throws(() => createDigest("md5").update("text" as never), TypeError);
});

nodeTest("createDigest: a backend without digests says so", async () => {
  const { digests: _, ...backend } = simulator().createBackend();
  await run(() => assert.throws(() => createDigest("md5"), NotSupportedError), {
    backend: backend as Backend,
  });
});

test("randomBytes: are as many as asked for, and differ", () => {
  const many = randomBytes(200_000);
  assert.equal(many.length, 200_000);
  const counts = new Uint32Array(256);
  for (const byte of many) counts[byte] = (counts[byte] as number) + 1;
  // 781 on average; a stretch that was not filled would make 0 by far the most frequent.
  assert.ok(
    counts.every((count) => count > 500 && count < 1100),
    counts.join(),
  );
  assert.notDeepEqual(randomBytes(16), randomBytes(16));
  assert.equal(randomBytes(0).length, 0);
  for (const wrong of [-1, 1.5, Infinity, 2 ** 24 + 1])
    assert.throws(() => randomBytes(wrong), RangeError);
  assert.throws(() => randomBytes("4" as never), TypeError);
});

nodeTest("randomBytes: in the simulator the seed decides", async () => {
  const draw = async (seed: number): Promise<string> =>
    await run(() => `${hex(randomBytes(16))} ${random()}`, { backend: simulator({ seed }) });
  const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
  assert.equal(first, again);
  assert.notEqual(first, other);
});
