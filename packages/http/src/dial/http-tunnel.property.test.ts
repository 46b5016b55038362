/** Answers to CONNECT with random damage, in random pieces: the tunnel is there, or an error that is meant for it, and never anything else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EndOfStream, run, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { createMemoryStreamPair } from "arborio/streams";
import { ProtocolError } from "../protocol/protocol-error.ts";
import { DialError } from "./dial-error.ts";
import { openHttpTunnel } from "./http-tunnel.ts";
import { proxyRoute } from "./proxy-route.ts";
import type { ProxyRoute } from "./route.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# http-tunnel: seed ${seed}`);

const PROXY = proxyRoute("http://user:password@proxy.test:3128") as ProxyRoute;
const TARGET = { host: "example.test", port: 443 };

const ANSWERS = [
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.0 200 Connection established\r\nvia: 1.0 a\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 \r\ncontent-length: 3\r\n\r\n",
  "HTTP/1.1 407 Who\r\nproxy-authenticate: Basic\r\ncontent-length: 2\r\n\r\nhi",
];

/** What comes of an answer in pieces, after which the proxy ends the connection. */
async function outcome(answer: Uint8Array, cuts: readonly number[]): Promise<string> {
  const [near, far] = createMemoryStreamPair();
  using stream = near;
  using proxy = far;
  const edges = [0, ...cuts.map((cut) => cut % (answer.length + 1)), answer.length].sort(
    (a, b) => a - b,
  );
  return await taskGroup(async (group) => {
    group.startSoon(async () => {
      for (let at = 1; at < edges.length; at++) {
        const piece = answer.slice(edges[at - 1], edges[at]);
        if (piece.length > 0) await proxy.send(piece);
      }
      await proxy.sendEof();
    });
    try {
      await openHttpTunnel(stream, PROXY, TARGET);
      return "tunnel";
    } catch (error) {
      if (error instanceof DialError) return `${error.phase} ${error.reason}`;
      if (error instanceof ProtocolError) return "protocol";
      if (error instanceof EndOfStream) return "end";
      throw error;
    } finally {
      group.cancel("done");
    }
  });
}

/** Damages bytes: changes some, cuts the rest off, adds others. */
const damaged = fc
  .tuple(
    fc.constantFrom(...ANSWERS),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
    fc.option(fc.nat()),
    fc.uint8Array({ maxLength: 8 }),
  )
  .map(([answer, changes, cut, added]) => {
    const bytes = new TextEncoder().encode(answer);
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    const kept = cut === null ? bytes : bytes.slice(0, cut % (bytes.length + 1));
    return Uint8Array.from([...kept, ...added]);
  });

test("openHttpTunnel: whatever the proxy sends, in whatever pieces", async () => {
  await run(
    () =>
      fc.assert(
        fc.asyncProperty(damaged, fc.array(fc.nat(), { maxLength: 4 }), async (answer, cuts) => {
          const whole = await outcome(answer, []);
          const inPieces = await outcome(answer, cuts);
          // What comes too early is seen only if it comes with the answer.
          if (whole === "proxy protocol") assert.match(inPieces, /^(proxy protocol|tunnel)$/);
          else assert.equal(inPieces, whole);
        }),
        { seed, numRuns: 400 },
      ),
    { backend: simulator({ seed: 1 }), signals: [] },
  );
});

test("openHttpTunnel: what is well is a tunnel, or its refusal, however it is cut", async () => {
  await run(
    async () => {
      for (const [index, answer] of ANSWERS.entries()) {
        const bytes = new TextEncoder().encode(answer);
        const expected = index < 3 ? "tunnel" : "proxy refused-by-proxy";
        for (let cut = 0; cut <= bytes.length; cut++)
          assert.equal(await outcome(bytes, [cut, cut + 1]), expected);
      }
    },
    { backend: simulator({ seed: 1 }), signals: [] },
  );
});
