/** Groups 9 and 10: sizes; 12 and 13: compression. Cut down unless all is wanted. */
import { type CaseDeflate, type CaseSettings, type FuzzCase, textEvent } from "./case.test.kit.ts";
import { eventOf, type FuzzFrame, type FuzzPeer } from "./fuzz-peer.test.kit.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** What large messages are cut down to. */
const CUT_BYTES = 64 * KIB;
const CUT_ROUNDS = 20;
const CUT_MESSAGES = 2;
const CLEAN = { end: "close", codes: [1000] } as const;
const OPCODES = [1, 2] as const;

const sizeOf = (bytes: number, { isFull }: CaseSettings): number =>
  isFull ? bytes : Math.min(bytes, CUT_BYTES);

/** Sends something, and looks itself whether it comes back, so that nothing large is kept. */
async function roundTrip(peer: FuzzPeer, send: () => Promise<void>, event: string): Promise<void> {
  await send();
  await peer.until(1, 60_000);
  const [got = "nothing"] = peer.events.splice(0);
  if (got !== event) peer.events.push(`wrong: got ${got}, needs ${event}`);
}

const filled = (opcode: number, bytes: number): Uint8Array =>
  new Uint8Array(bytes).fill(opcode === 1 ? 0x2a : 0xfe);

function cut(opcode: number, payload: Uint8Array, size: number): FuzzFrame[] {
  const frames: FuzzFrame[] = [];
  for (let at = 0; at < payload.length; at += size)
    frames.push({
      opcode: at === 0 ? opcode : 0,
      payload: payload.subarray(at, at + size),
      fin: at + size >= payload.length,
    });
  return frames;
}

function sizeCases(): FuzzCase[] {
  const cases: FuzzCase[] = [];
  const add = (
    id: string,
    opcode: number,
    bytes: number,
    send: (peer: FuzzPeer, payload: Uint8Array) => Promise<void>,
  ): void => {
    const run: FuzzCase["run"] = async (peer, settings) => {
      const payload = filled(opcode, sizeOf(bytes, settings));
      await roundTrip(peer, () => send(peer, payload), eventOf(opcode, payload));
    };
    cases.push({ id, run, ok: [], ...CLEAN });
  };
  for (const [index, opcode] of OPCODES.entries()) {
    for (const [at, kib] of [64, 256, KIB, 4 * KIB, 8 * KIB, 16 * KIB].entries())
      add(`9.${1 + index}.${at + 1}`, opcode, kib * KIB, (peer, payload) =>
        peer.send([{ opcode, payload }]),
      );
    for (const [at, size] of [
      64,
      256,
      KIB,
      4 * KIB,
      16 * KIB,
      64 * KIB,
      256 * KIB,
      MIB,
      4 * MIB,
    ].entries())
      add(`9.${3 + index}.${at + 1}`, opcode, 4 * MIB, (peer, payload) =>
        peer.send(cut(opcode, payload, size)),
      );
    for (const [at, size] of [64, 128, 256, 512, KIB, 2 * KIB].entries())
      add(`9.${5 + index}.${at + 1}`, opcode, MIB, (peer, payload) =>
        peer.send([{ opcode, payload }], size),
      );
    for (const [at, bytes] of [0, 16, 64, 256, KIB, 4 * KIB].entries())
      cases.push(roundTripCase(`9.${7 + index}.${at + 1}`, opcode, bytes));
  }
  return cases;
}

function roundTripCase(id: string, opcode: number, bytes: number): FuzzCase {
  const run: FuzzCase["run"] = async (peer, { isFull }) => {
    const payload = filled(opcode, bytes);
    for (let round = 0; round < (isFull ? 1000 : CUT_ROUNDS) && peer.events.length === 0; round++)
      await roundTrip(peer, () => peer.send([{ opcode, payload }]), eventOf(opcode, payload));
  };
  return { id, run, ok: [], ...CLEAN };
}

const SIZES: readonly (readonly [bytes: number, fragmentBytes: number])[] = [
  ...[16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072].map(
    (bytes) => [bytes, 0] as const,
  ),
  ...[8192, 16_384, 32_768, 65_536, 131_072].map((bytes) => [bytes, 256] as const),
  ...[1024, 4096, 32_768].map((fragmentBytes) => [131_072, fragmentBytes] as const),
];

/** Data that compress well, less well, not at all; text and bytes. */
const DATA: readonly (readonly [opcode: number, byteAt: (index: number) => number])[] = [
  [
    2,
    (index) =>
      "Habe nun, ach! Philosophie, Juristerei und Medizin, ".charCodeAt(
        (index * 7 + (index >> 5)) % 52,
      ),
  ],
  [2, (index) => (Math.imul(index, 2_654_435_761) >>> 28) + ((index >> 9) & 0x7f)],
  [2, (index) => (Math.imul(index ^ (index >> 7), 2_246_822_519) >>> 13) & 0xff],
  [
    1,
    (index) =>
      '{"id":12345,"name":"value","list":[1,2,3]},'.charCodeAt((index + (index >> 8)) % 43),
  ],
  [1, (index) => '<tr class="row"><td>cell</td></tr>\n'.charCodeAt((index + (index >> 9)) % 35)],
];

/** So many bytes of each of these there are; a message is a part of them, or all. */
const POOL_BYTES = 256 * KIB;
const POOLS: (Uint8Array | undefined)[] = [];
/** Messages begin so many bytes apart. */
const STEP_BYTES = 997;

function messageOf(data: (typeof DATA)[number], bytes: number, count: number): Uint8Array {
  const [, byteAt] = data;
  const pool = (POOLS[DATA.indexOf(data)] ??= Uint8Array.from({ length: POOL_BYTES }, (_, index) =>
    byteAt(index),
  ));
  const start = (count * STEP_BYTES) % (POOL_BYTES - bytes + 1);
  return pool.subarray(start, start + bytes);
}

const DEFAULT: CaseDeflate = { noContextTakeover: false, windowBits: 0 };
const PARAMETERS: readonly CaseDeflate[] = [
  DEFAULT,
  { noContextTakeover: true, windowBits: 0 },
  { noContextTakeover: false, windowBits: 9 },
  { noContextTakeover: false, windowBits: 15 },
  { noContextTakeover: true, windowBits: 9 },
  { noContextTakeover: true, windowBits: 15 },
  { noContextTakeover: true, windowBits: 9, isList: true },
];

function compressedCase(
  id: string,
  data: (typeof DATA)[number],
  bytes: number,
  fragmentBytes: number,
  deflate: CaseDeflate,
): FuzzCase {
  const [opcode] = data;
  const run: FuzzCase["run"] = async (peer, { isFull }) => {
    for (
      let count = 0;
      count < (isFull ? 1000 : CUT_MESSAGES) && peer.events.length === 0;
      count++
    ) {
      const message = messageOf(data, bytes, count);
      await roundTrip(
        peer,
        () => peer.sendMessage(opcode, message, fragmentBytes),
        eventOf(opcode, message),
      );
    }
  };
  return { id, run, ok: [], ...CLEAN, deflate };
}

function compressionCases(): FuzzCase[] {
  const cases: FuzzCase[] = [];
  for (const [at, [bytes, fragmentBytes]] of SIZES.entries()) {
    for (const [index, data] of DATA.entries())
      cases.push(compressedCase(`12.${index + 1}.${at + 1}`, data, bytes, fragmentBytes, DEFAULT));
    for (const [index, deflate] of PARAMETERS.entries())
      cases.push(
        compressedCase(
          `13.${index + 1}.${at + 1}`,
          DATA[3] as (typeof DATA)[number],
          bytes,
          fragmentBytes,
          deflate,
        ),
      );
  }
  return cases;
}

const STARS = "*".repeat(65_536);

export const largeCases: readonly FuzzCase[] = [
  ...sizeCases(),
  {
    id: "10.1.1",
    run: (peer) => peer.sendMessage(1, new TextEncoder().encode(STARS), 1300),
    ok: [textEvent(STARS)],
    ...CLEAN,
  },
  ...compressionCases(),
];
