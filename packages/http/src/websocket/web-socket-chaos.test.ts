/** Everything at once, on both sides: whatever is sent, received, cancelled and cut, all of it ends, and nobody is told anything but how. */
import assert from "node:assert/strict";
import {
  BusyResourceError,
  CancelScope,
  checkpoint,
  ClosedResourceError,
  EndOfStream,
  moveOnAfter,
  now,
  sleep,
  taskGroup,
} from "arborio";
import { createMemoryStreamPair } from "arborio/streams";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { PLAIN } from "./compressed-frames.test.kit.ts";
import { type PeerOptions, runOver } from "./raw-peer.test.kit.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";

/** Numbers that are the same for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e37_79b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

const ROUNDS = 40;
const BASE: PeerOptions = { heartbeatMs: 2000, closeMs: 1000 };
/** How it may end: nobody breaks a rule, or sends what cannot be read. */
const CODES: ReadonlySet<number> = new Set([1000, 1001, 1006, 1011, 3000, 3001, 3002, 3003]);
/** An operation takes no longer, in virtual time, unless each side waits for the other. */
const WAIT_MS = 3000;
/** A close takes a second at most; what is shorter than an operation that waits for nobody is added. */
const CLOSED_MS = 1000 + 1000;
/** Everything has ended by then: it goes on for a second, the last operation ends, and so does a close. */
const END_MS = 1000 + WAIT_MS + 2000;

type Operation = (socket: WebSocketConnection, pick: (below: number) => number) => Promise<unknown>;

const text = (length: number): string => "x".repeat(length);

/** Of such texts, and of zeros, every message is made. */
async function receive(socket: WebSocketConnection): Promise<void> {
  const message = await socket.receive();
  const isWhole =
    typeof message === "string" ? /^x*$/.test(message) : message.every((byte) => byte === 0);
  assert.ok(isWhole, "a message is not what was sent");
}

const operations: readonly Operation[] = [
  (socket, pick) => socket.send(text(pick(300))),
  (socket, pick) => socket.send(text(pick(100_000))),
  (socket, pick) => socket.send(new Uint8Array(pick(2000))),
  (socket, pick) => socket.sendStream("text", [text(pick(500)), "", text(pick(500))]),
  (socket) =>
    socket.sendStream(
      "binary",
      (async function* () {
        yield new Uint8Array(10);
        await sleep(3);
        yield new Uint8Array(1000);
      })(),
    ),
  receive,
  receive,
  receive,
  async (socket, pick) => {
    const message = await socket.receiveStream();
    for (let pieces = pick(5); pieces > 0; pieces--) await message.receive(1 + pick(500));
  },
  (socket) => socket.ping(),
  (_, pick) => sleep(pick(20)),
  () => checkpoint(),
];

const rare: readonly Operation[] = [
  (socket, pick) => socket.close(3000 + pick(4), "enough"),
  async (socket) => socket.abort(),
  () => sleep(900),
];

/** What an operation may be told. */
function isExpected(error: unknown): boolean {
  return [WebSocketClosedError, BusyResourceError, EndOfStream, ClosedResourceError].some(
    (one) => error instanceof one,
  );
}

/** When it was seen to be closed. */
class Watch {
  closedAt = Infinity;

  async over(socket: WebSocketConnection): Promise<void> {
    while (socket.closed === undefined) await sleep(20);
    this.closedAt = now();
  }
}

async function talk(
  socket: WebSocketConnection,
  pick: (below: number) => number,
  watch: Watch,
): Promise<void> {
  const end = now() + 1000;
  // The other side has begun, too.
  await sleep(1);
  while (now() < end) {
    const list = pick(100) === 0 ? rare : operations;
    const operation = list[pick(list.length)] as Operation;
    try {
      // Both may wait for each other.
      const waitMs = pick(4) > 0 ? WAIT_MS : pick(5);
      await moveOnAfter(waitMs, () => operation(socket, pick));
      assert.ok(now() - watch.closedAt <= CLOSED_MS, "something waits for what is over");
    } catch (error) {
      if (!isExpected(error)) throw error;
      if (error instanceof WebSocketClosedError) {
        assert.ok(CODES.has(error.code), error.message);
        return;
      }
      // Nothing has waited.
      await checkpoint();
    }
  }
}

async function chaos(seed: number): Promise<void> {
  const pick = numbers(seed);
  const capacity = [1, 50, 1000, 65_536][pick(4)] as number;
  const [left, right] = createMemoryStreamPair({ capacity });
  const deflate = pick(2) === 0 ? { ...PLAIN, clientNoContextTakeover: pick(2) === 0 } : undefined;
  const common: PeerOptions = {
    ...BASE,
    ...(deflate === undefined ? {} : { deflate, compression: true }),
    ...(pick(3) === 0 ? { fragmentBytesMax: 100 + pick(1000) } : {}),
  };
  let ended = 0;
  await moveOnAfter(END_MS, () =>
    taskGroup(async (group) => {
      for (const [stream, role] of [
        [left, "server"],
        [right, "client"],
      ] as const) {
        const scope = new CancelScope();
        group.startSoon(async () => {
          await scope.run(() =>
            runOver(
              stream,
              async (socket) => {
                const watch = new Watch();
                await taskGroup(async (talkers) => {
                  talkers.startSoon(() => watch.over(socket), { daemon: true });
                  const tasks = 1 + pick(4);
                  for (let count = 0; count < tasks; count++)
                    talkers.startSoon(() => talk(socket, pick, watch));
                });
              },
              { ...common, role },
            ),
          );
          ended += 1;
        });
        const fate = pick(6);
        group.startSoon(async () => {
          if (fate > 2) return;
          await sleep(1 + pick(1000));
          if (fate === 0) scope.cancel();
          else if (fate === 1) scope.shutdown({ graceMs: pick(1000) });
          else stream.abort?.();
        });
      }
    }),
  );
  assert.equal(ended, 2, `seed ${seed}: something did not end`);
}

simTest(
  "WebSocketConnection: everything at once ends, and tells nothing but how",
  async () => {
    for (let seed = 0; seed < ROUNDS; seed++) await chaos(seed);
  },
  [1],
);
