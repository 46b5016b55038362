import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SocksError, type SocksFailure } from "./socks-error.ts";
import { type SocksConnection, SocksHandshake } from "./socks-handshake.ts";
import type { SocksOptions } from "./socks-target.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# socks-handshake: seed ${seed}`);

const TARGET = { host: "example.org", port: 443 } as const;
const NAME = [...new TextEncoder().encode("example.org")];
const CREDENTIALS = { user: "ab", password: "çd" } as const;
const LOGIN = [1, 2, 97, 98, 3, 0xc3, 0xa7, 100];

const letters = (count: number): number[] => Array.from({ length: count }, () => 97);

interface Transcript {
  readonly sent: readonly (readonly number[])[];
  readonly connection: SocksConnection | null;
}

/** What goes to a proxy that gives these answers, one for each message, in pieces of this length. */
function talk(
  options: SocksOptions,
  answers: readonly (readonly number[])[],
  pieceBytes = Infinity,
): Transcript {
  const handshake = new SocksHandshake(options);
  const sent: (readonly number[])[] = [];
  let connection: SocksConnection | null = null;
  for (const answer of answers) {
    sent.push([...handshake.takeOutgoing()]);
    assert.equal(handshake.takeOutgoing().length, 0);
    for (let at = 0; at < answer.length;) {
      const length = Math.min(pieceBytes, answer.length - at);
      // Overwritten at once: nothing may keep the memory of what was given.
      const piece = Uint8Array.from(answer.slice(at, at + length));
      connection = handshake.push(piece);
      piece.fill(0xee);
      at += length;
    }
  }
  assert.deepEqual(handshake.connection, connection);
  return { sent, connection };
}

function failsWith(
  options: SocksOptions,
  answers: readonly (readonly number[])[],
  failure: SocksFailure,
  reply: number | null,
  message: RegExp,
): void {
  for (const pieceBytes of [Infinity, 1]) {
    const check = (error: unknown): boolean => {
      assert.ok(error instanceof SocksError);
      assert.deepEqual([error.failure, error.reply], [failure, reply], error.message);
      assert.match(error.message, message);
      return true;
    };
    assert.throws(() => talk(options, answers, pieceBytes), check);
  }
}

const BOUND = [5, 0, 0, 1, 10, 1, 2, 3, 0x1f, 0x90];
const bound = { boundHost: "10.1.2.3", boundPort: 8080, rest: new Uint8Array(0) };

test("SocksHandshake: version 5 with a name, which the proxy resolves", () => {
  for (const pieceBytes of [1, 2, 3, Infinity]) {
    assert.deepEqual(talk(TARGET, [[5, 0], BOUND], pieceBytes), {
      sent: [
        [5, 1, 0],
        [5, 1, 0, 3, 11, ...NAME, 1, 187],
      ],
      connection: bound,
    });
  }
});

test("SocksHandshake: version 5 with addresses, whoever resolves", () => {
  const ipv6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  for (const [host, bytes] of [
    ["192.0.2.7", [1, 192, 0, 2, 7]],
    ["2001:db8::1", [4, ...ipv6]],
    ["[2001:db8::1]", [4, ...ipv6]],
  ] as const) {
    for (const resolveAt of ["proxy", "client"] as const) {
      const { sent } = talk({ host, port: 1, resolveAt }, [[5, 0], BOUND]);
      assert.deepEqual(sent[1], [5, 1, 0, ...bytes, 0, 1], host);
    }
  }
});

test("SocksHandshake: version 5 logs in if the proxy asks for it, and not otherwise", () => {
  const options = { ...TARGET, credentials: CREDENTIALS };
  const request = [5, 1, 0, 3, 11, ...NAME, 1, 187];
  for (const pieceBytes of [1, Infinity]) {
    assert.deepEqual(talk(options, [[5, 2], [1, 0], BOUND], pieceBytes), {
      sent: [[5, 2, 0, 2], LOGIN, request],
      connection: bound,
    });
    assert.deepEqual(talk(options, [[5, 0], BOUND], pieceBytes).sent, [[5, 2, 0, 2], request]);
  }
});

test("SocksHandshake: the address that the proxy tells, of each type", () => {
  const reply = (...rest: readonly number[]): SocksConnection | null =>
    talk(TARGET, [
      [5, 0],
      [5, 0, 0, ...rest],
    ]).connection;
  const ipv6 = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
  assert.equal(reply(4, ...ipv6, 0, 80)?.boundHost, "fe80::9");
  assert.equal(reply(4, ...ipv6, 0, 80)?.boundPort, 80);
  assert.deepEqual(reply(3, 11, ...NAME, 255, 255), {
    boundHost: "example.org",
    boundPort: 65_535,
    rest: new Uint8Array(0),
  });
  assert.equal(reply(3, 0, 0, 0)?.boundHost, "");
  assert.equal(reply(3, 255, ...letters(255), 0, 0)?.boundHost.length, 255);
});

test("SocksHandshake: what comes behind the answer is the target's, whole", () => {
  const rest = fc.uint8Array({ maxLength: 600 });
  const property = fc.property(rest, fc.integer({ min: 0, max: 20 }), (bytes, nameBytes) => {
    const name = letters(nameBytes);
    const answer = [5, 0, 0, 3, nameBytes, ...name, 1, 2, ...bytes];
    const { connection } = talk(TARGET, [[5, 0], answer]);
    assert.deepEqual(connection?.rest, bytes);
    assert.equal(connection?.boundHost.length, nameBytes);
  });
  fc.assert(property, { seed, numRuns: 200 });
  const four = talk({ ...TARGET, version: 4 }, [[0, 90, 0, 1, 2, 3, 4, 5, 72, 105]]);
  assert.deepEqual(four.connection, {
    boundHost: "2.3.4.5",
    boundPort: 1,
    rest: Uint8Array.of(72, 105),
  });
});

test("SocksHandshake: version 4 with an address, 4a with a name", () => {
  const granted = [0, 90, 0, 0, 0, 0, 0, 0];
  const sent = (options: Partial<SocksOptions>): readonly number[] | undefined =>
    talk({ ...TARGET, version: 4, ...options }, [granted], 3).sent[0];
  assert.deepEqual(sent({}), [4, 1, 1, 187, 0, 0, 0, 1, 0, ...NAME, 0]);
  assert.deepEqual(sent({ host: "192.0.2.7" }), [4, 1, 1, 187, 192, 0, 2, 7, 0]);
  const credentials = { user: "ab", password: "" };
  assert.deepEqual(sent({ credentials }), [4, 1, 1, 187, 0, 0, 0, 1, 97, 98, 0, ...NAME, 0]);
  assert.deepEqual(
    sent({ host: "192.0.2.7", credentials, resolveAt: "client" }),
    [4, 1, 1, 187, 192, 0, 2, 7, 97, 98, 0],
  );
});

test("SocksHandshake: each reply code of version 5 is told apart, before the rest of the answer has come", () => {
  for (const [reply, failure, why] of [
    [1, "general-failure", /failed/],
    [2, "not-allowed", /rules/],
    [3, "network-unreachable", /network/],
    [4, "host-unreachable", /host/],
    [5, "connection-refused", /refuses the connection/],
    [6, "time-to-live-expired", /in time/],
    [7, "command-not-supported", /connections/],
    [8, "address-type-not-supported", /address/],
    [9, "unknown-reply", /not known/],
    [255, "unknown-reply", /\(reply 255\)/],
  ] as const) {
    failsWith(
      TARGET,
      [
        [5, 0],
        [5, reply],
      ],
      failure,
      reply,
      why,
    );
    failsWith(
      TARGET,
      [
        [5, 0],
        [5, reply],
      ],
      failure,
      reply,
      /to example\.org:443: /,
    );
  }
});

test("SocksHandshake: each reply code of version 4 is told apart", () => {
  const options = { host: "2001:db8::1", port: 1 };
  failsWith(
    options,
    [
      [5, 0],
      [5, 1],
    ],
    "general-failure",
    1,
    /to \[2001:db8::1\]:1: /,
  );
  for (const [reply, failure] of [
    [91, "general-failure"],
    [92, "authentication-failed"],
    [93, "authentication-failed"],
    [0, "unknown-reply"],
    [89, "unknown-reply"],
  ] as const) {
    failsWith({ ...TARGET, version: 4 }, [[0, reply]], failure, reply, /SOCKS4 proxy/);
  }
});

test("SocksHandshake: a proxy that refuses the login, or wants another", () => {
  const options = { ...TARGET, credentials: CREDENTIALS };
  const secret = /^(?!.*çd)/;
  failsWith(
    options,
    [
      [5, 2],
      [1, 1],
    ],
    "authentication-failed",
    1,
    secret,
  );
  failsWith(
    options,
    [
      [5, 2],
      [5, 255],
    ],
    "authentication-failed",
    255,
    secret,
  );
  failsWith(options, [[5, 255]], "no-acceptable-method", null, secret);
  failsWith(TARGET, [[5, 255]], "no-acceptable-method", null, /user and a password/);
  assert.deepEqual(talk(options, [[5, 2], [5, 0], BOUND]).connection, bound);
});

test("SocksHandshake: what is not SOCKS, and more than was asked for, is refused", () => {
  const malformed = (answers: readonly (readonly number[])[], message: RegExp): void =>
    failsWith(TARGET, answers, "malformed", null, message);
  const options = { ...TARGET, credentials: CREDENTIALS };
  malformed([[72, 84, 84, 80]], /begins with "H/);
  malformed([[4, 0]], /not SOCKS/);
  malformed([[5, 2]], /method 2, which was not offered/);
  malformed([[5, 1]], /method 1/);
  malformed([[5, 0, 5]], /more than it was asked for/);
  malformed(
    [
      [5, 0],
      [4, 0],
    ],
    /not SOCKS/,
  );
  malformed(
    [
      [5, 0],
      [5, 0, 1],
    ],
    /1 where 0/,
  );
  malformed(
    [
      [5, 0],
      [5, 0, 0, 2],
    ],
    /type 2/,
  );
  malformed(
    [
      [5, 0],
      [5, 0, 0, 3, 2, 97, 10, 0, 0],
    ],
    /the name "a\\n"/,
  );
  failsWith(
    options,
    [
      [5, 2],
      [2, 0],
    ],
    "malformed",
    null,
    /not SOCKS/,
  );
  failsWith(
    options,
    [
      [5, 2],
      [1, 0, 5],
    ],
    "malformed",
    null,
    /more than it was asked for/,
  );
  failsWith({ ...TARGET, version: 4 }, [[4, 90]], "malformed", null, /not SOCKS/);
  failsWith({ ...TARGET, version: 4 }, [[5, 90]], "malformed", null, /not SOCKS/);
  const early = new SocksHandshake(TARGET);
  assert.equal(early.push(new Uint8Array(0)), null);
  assert.throws(() => early.push(Uint8Array.of(5)), { failure: "malformed" });
});

test("SocksHandshake: after a failure every call says it again, and after the connection none is needed", () => {
  const failed = new SocksHandshake(TARGET);
  failed.takeOutgoing();
  const caught: unknown[] = [];
  const steps = [
    () => failed.push(Uint8Array.of(0)),
    () => failed.push(Uint8Array.of(5, 0)),
    () => failed.end(),
  ];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      caught.push(error);
    }
  }
  assert.equal(caught.length, 3);
  assert.equal(new Set(caught).size, 1);
  const open = new SocksHandshake({ ...TARGET, version: 4 });
  open.takeOutgoing();
  open.push(Uint8Array.of(0, 90, 0, 0, 0, 0, 0, 0));
  assert.throws(() => open.push(Uint8Array.of(1)), TypeError);
  open.end();
});

test("SocksHandshake: an end before the connection is an error", () => {
  const whole = [[5, 2], [1, 0], BOUND];
  const bytes = whole.flat().length;
  for (let count = 0; count < bytes; count++) {
    const handshake = new SocksHandshake({ ...TARGET, credentials: CREDENTIALS });
    for (const byte of whole.flat().slice(0, count)) {
      handshake.takeOutgoing();
      assert.equal(handshake.push(Uint8Array.of(byte)), null);
    }
    assert.throws(() => handshake.end(), { name: "SocksError", failure: "closed" });
  }
});

test("SocksHandshake: whatever comes, it is a connection, an error of the proxy, or a wait for a few bytes", () => {
  const likely = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 5, 90), fc.nat(255));
  const answers = fc.array(fc.array(likely, { maxLength: 30 }), { maxLength: 5 });
  const property = fc.property(answers, fc.constantFrom(4, 5), (all, version) => {
    const handshake = new SocksHandshake({
      ...TARGET,
      version,
      credentials: { user: "u", password: "" },
    });
    let bytes = 0;
    try {
      for (const answer of all) {
        handshake.takeOutgoing();
        bytes += answer.length;
        if (handshake.push(Uint8Array.from(answer)) !== null) return;
        assert.ok(bytes <= 2 + 2 + 262);
      }
    } catch (error) {
      assert.ok(error instanceof SocksError, String(error));
    }
  });
  fc.assert(property, { seed, numRuns: 1000 });
});
