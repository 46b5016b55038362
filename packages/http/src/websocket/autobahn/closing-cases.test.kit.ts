/** Group 7: closing. */
import { type FuzzCase, textEvent } from "./case.test.kit.ts";
import { closePayload, eventOf, type FuzzFrame, joined } from "./fuzz-peer.test.kit.ts";

const HELLO = "Hello World!";
const CLOSED = { end: "closed", codes: [1000] } as const;
const FAIL = { end: "fail", codes: [1002] } as const;

const text: FuzzFrame = { opcode: 1, payload: HELLO };
const close: FuzzFrame = { opcode: 8, payload: closePayload(1000) };
const sending =
  (...frames: FuzzFrame[]): FuzzCase["run"] =>
  (peer) =>
    peer.send(frames);
const closing = (payload: Uint8Array): FuzzCase["run"] => sending({ opcode: 8, payload });

const large = new Uint8Array(256 * 1024).fill(0x42);

const order: readonly FuzzCase[] = [
  { id: "7.1.1", run: sending(text, close), ok: [textEvent(HELLO)], ...CLOSED },
  { id: "7.1.2", run: sending(close, close), ok: [], ...CLOSED },
  { id: "7.1.3", run: sending(close, { opcode: 9 }), ok: [], ...CLOSED },
  { id: "7.1.4", run: sending(close, text), ok: [], ...CLOSED },
  {
    id: "7.1.5",
    run: sending({ opcode: 1, payload: "fragment1", fin: false }, close, {
      opcode: 0,
      payload: "fragment2",
    }),
    ok: [],
    ...CLOSED,
  },
  {
    id: "7.1.6",
    run: sending({ opcode: 1, payload: large }, text, close, { opcode: 9 }),
    ok: [eventOf(1, large), textEvent(HELLO)],
    // Informational: how much comes before the close is for the implementation to choose.
    alsoOk: [[], [eventOf(1, large)]],
    ...CLOSED,
  },
];

const payloads: readonly FuzzCase[] = [
  { id: "7.3.1", run: closing(closePayload(null)), ok: [], end: "closed", codes: [0, 1000] },
  { id: "7.3.2", run: closing(Uint8Array.of(0x61)), ok: [], ...FAIL },
  { id: "7.3.3", run: closing(closePayload(1000)), ok: [], ...CLOSED },
  { id: "7.3.4", run: closing(closePayload(1000, HELLO)), ok: [], ...CLOSED },
  { id: "7.3.5", run: closing(closePayload(1000, "*".repeat(123))), ok: [], ...CLOSED },
  { id: "7.3.6", run: closing(closePayload(1000, "*".repeat(124))), ok: [], ...FAIL },
  {
    id: "7.5.1",
    run: closing(joined([closePayload(1000), Uint8Array.of(0xce, 0xba, 0xed, 0xa0, 0x80)])),
    ok: [],
    end: "fail",
    codes: [1002, 1007],
  },
];

const GOOD = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const BAD = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];

const codes: readonly FuzzCase[] = [
  ...GOOD.map((code, index): FuzzCase => ({
    id: `7.7.${index + 1}`,
    run: closing(closePayload(code)),
    ok: [],
    end: "closed",
    codes: [1000, code],
  })),
  ...BAD.map((code, index): FuzzCase => ({
    id: `7.9.${index + 1}`,
    run: closing(closePayload(code)),
    ok: [],
    ...FAIL,
  })),
  // Informational.
  ...[5000, 65_535].map((code, index): FuzzCase => ({
    id: `7.13.${index + 1}`,
    run: closing(closePayload(code)),
    ok: [],
    end: "fail",
    codes: [1000, 1002, code],
  })),
];

export const closingCases: readonly FuzzCase[] = [...order, ...payloads, ...codes];
