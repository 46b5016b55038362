/** What no good peer sends, beyond Autobahn: to both sides, whole and byte by byte. */
import assert from "node:assert/strict";
import { moveOnAfter, sleep } from "arborio";
import { simTest } from "../connection/raw-client.test.kit.ts";
import type { WebSocketRole } from "../protocol/websocket/frame.ts";
import { hex, joined } from "../protocol/websocket/frames.test.kit.ts";
import type { DeflateParameters } from "../protocol/websocket/negotiate-deflate.ts";
import { peerOf, type PeerOptions } from "./raw-peer.test.kit.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";

const DEFLATE: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const ROLES: readonly WebSocketRole[] = ["server", "client"];
/** Changes nothing. */
const MASK = hex("00 00 00 00");

/** The bytes of a frame; its mask, if this peer has to mask, stands behind the length. */
type Frame = readonly [head: string, payload?: string];

interface Hostile {
  readonly name: string;
  readonly frames: readonly Frame[];
  readonly code: number;
  readonly options?: PeerOptions;
  /** Whether the peer masks as it must. Default `true`. */
  readonly masks?: boolean;
}

const compressed: PeerOptions = { deflate: DEFLATE };

const cases: readonly Hostile[] = [
  {
    name: "a mask where there may be none, or none where there must be one",
    frames: [["81 01", "61"]],
    code: 1002,
    masks: false,
  },
  {
    name: "a length of 64 bits whose highest one is set",
    frames: [["82 7f 80 00 00 00 00 00 00 01"]],
    code: 1002,
  },
  {
    name: "a length that no number holds",
    frames: [["82 7f 7f ff ff ff ff ff ff ff"]],
    code: 1009,
  },
  { name: "125 in 16 bits", frames: [["82 7e 00 7d"]], code: 1002 },
  { name: "65,535 in 64 bits", frames: [["82 7f 00 00 00 00 00 00 ff ff"]], code: 1002 },
  { name: "RSV1 that nobody agreed upon", frames: [["c1 01", "61"]], code: 1002 },
  { name: "RSV2", frames: [["a1 01", "61"]], code: 1002, options: compressed },
  { name: "RSV3", frames: [["91 01", "61"]], code: 1002, options: compressed },
  { name: "RSV1 on a ping", frames: [["c9 00"]], code: 1002, options: compressed },
  { name: "RSV1 on a close", frames: [["c8 00"]], code: 1002, options: compressed },
  {
    name: "RSV1 on a continuation",
    frames: [
      ["41 03", "f2 48 cd"],
      ["c0 04", "c9 c9 07 00"],
    ],
    code: 1002,
    options: compressed,
  },
  { name: "a control frame of 126 bytes", frames: [["89 7e 00 7e"]], code: 1002 },
  { name: "a control frame in fragments", frames: [["09 00"]], code: 1002 },
  {
    name: "a message over the limit",
    frames: [["82 7e 03 e9"]],
    code: 1009,
    options: { messageBytesMax: 1000 },
  },
  {
    name: "a fragment over the limit, with those before",
    frames: [["02 7d", "00 ".repeat(125)], ["80 7e 03 6c"]],
    code: 1009,
    options: { messageBytesMax: 1000 },
  },
  {
    name: "one byte more than the message before it, which was as large as may be",
    frames: [["81 05"]],
    code: 1009,
    options: { messageBytesMax: 4 },
  },
  {
    name: "a compressed frame over the limit of what that may be",
    frames: [["c2 7f 00 00 00 00 00 01 00 00"]],
    code: 1009,
    options: { ...compressed, messageBytesMax: 60_000 },
  },
];

function bytesOf(role: WebSocketRole, { frames, masks = true }: Hostile): Uint8Array {
  const isMasked = (role === "client") === masks;
  return joined(
    frames.flatMap(([head, payload = ""]) => {
      const bytes = hex(head);
      if (!isMasked) return [bytes, hex(payload)];
      bytes[1] = (bytes[1] as number) | 0x80;
      return [bytes, MASK, hex(payload)];
    }),
  );
}

for (const role of ROLES) {
  for (const hostile of cases) {
    simTest(
      `hostile: as ${role}: ${hostile.name}: ${hostile.code}`,
      async (group) => {
        for (const step of [Infinity, 1]) {
          const peer = peerOf(
            group,
            async (socket) => {
              assert.equal(await socket.receive(), "good");
              await socket.send("answer");
              await assert.rejects(
                socket.receive(),
                (error) =>
                  error instanceof WebSocketClosedError &&
                  error.code === hostile.code &&
                  !error.wasClean,
              );
              await assert.rejects(socket.send("late"), WebSocketClosedError);
            },
            {
              role,
              ...hostile.options,
            },
          );
          await peer.send(1, "good");
          const bytes = bytesOf(peer.role, hostile);
          for (let at = 0; at < bytes.length; at += step)
            await peer.stream.send(bytes.subarray(at, at + step));
          assert.deepEqual(await moveOnAfter(100, () => peer.rest()), [
            "text answer",
            `close ${hostile.code}`,
            "end",
          ]);
          peer.stream.close();
        }
      },
      [1],
    );
  }

  simTest(
    `hostile: as ${role}: very many empty fragments are one message, and a ping between them is answered`,
    async (group) => {
      const peer = peerOf(
        group,
        async (socket) => {
          for await (const message of socket) await socket.send(message);
        },
        { role },
      );
      await peer.send(1, "a", false);
      const empty = joined(Array.from({ length: 1000 }, () => peer.frame(0, "", false)));
      for (let round = 0; round < 20; round++) await peer.stream.send(empty);
      await peer.send(9, Uint8Array.of(7));
      await peer.send(0, "b");
      assert.equal(await peer.next(), "pong 7");
      assert.equal(await peer.next(), "text ab");
      peer.stream.close();
    },
    [1],
  );

  simTest(
    `hostile: as ${role}: very many fragments of one byte are held up, and put together (CVE-2026-54274)`,
    async (group) => {
      const COUNT = 20_000;
      const peer = peerOf(
        group,
        async (socket) => {
          await sleep(1000);
          assert.equal(await socket.receive(), "x".repeat(COUNT));
        },
        { role, capacity: 100 },
      );
      let sent = 0;
      group.startSoon(async () => {
        for (; sent < COUNT; sent++) await peer.send(sent === 0 ? 1 : 0, "x", sent === COUNT - 1);
      });
      await sleep(900);
      assert.ok(sent < 100, `${sent} fragments were taken that nobody has received`);
      assert.equal(await peer.next(), "close 1000");
      peer.stream.close();
    },
    [1],
  );
}
