/** Group 6: UTF-8. */
import { sleep } from "arborio";
import { type FuzzCase, textEvent } from "./case.test.kit.ts";
import { eventOf, type FuzzFrame, joined } from "./fuzz-peer.test.kit.ts";

const CLEAN = { end: "close", codes: [1000] } as const;
const FAIL = { end: "fail", codes: [1007] } as const;

const GREETING = "Hello-µ@ßöäüàá-UTF-8!!";
/** With the oxia of U+1F79, which has three bytes. */
const KOSME = "\u03BA\u1F79\u03C3\u03BC\u03B5";
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function bytesOfHex(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (pair) =>
    Number.parseInt(pair, 16),
  );
}

/** One fragment for each payload. */
function fragments(payloads: readonly (string | Uint8Array)[]): FuzzFrame[] {
  return payloads.map((payload, index) => ({
    opcode: index === 0 ? 1 : 0,
    payload,
    fin: index === payloads.length - 1,
  }));
}

const octets = (bytes: Uint8Array): Uint8Array[] =>
  Array.from(bytes, (byte) => Uint8Array.of(byte));
const sending =
  (payloads: readonly (string | Uint8Array)[]): FuzzCase["run"] =>
  (peer) =>
    peer.send(fragments(payloads));

const INVALID = joined([utf8(KOSME), bytesOfHex("eda080"), utf8("edited")]);

const basic: readonly FuzzCase[] = [
  { id: "6.1.1", run: sending([""]), ok: [textEvent("")], ...CLEAN },
  { id: "6.1.2", run: sending(["", "", ""]), ok: [textEvent("")], ...CLEAN },
  {
    id: "6.1.3",
    run: sending(["", "middle frame payload", ""]),
    ok: [textEvent("middle frame payload")],
    ...CLEAN,
  },
  { id: "6.2.1", run: sending([GREETING]), ok: [textEvent(GREETING)], ...CLEAN },
  {
    id: "6.2.2",
    run: sending([GREETING.slice(0, 12), GREETING.slice(12)]),
    ok: [textEvent(GREETING)],
    ...CLEAN,
  },
  { id: "6.2.3", run: sending(octets(utf8(GREETING))), ok: [textEvent(GREETING)], ...CLEAN },
  { id: "6.2.4", run: sending(octets(utf8(KOSME))), ok: [textEvent(KOSME)], ...CLEAN },
  { id: "6.3.1", run: sending([INVALID]), ok: [], ...FAIL },
  { id: "6.3.2", run: sending(octets(INVALID)), ok: [], ...FAIL },
];

/** What comes in three parts must fail at the second, before the third comes: as fragments, and as pieces of one frame. */
function failFast(): FuzzCase[] {
  const parts = (middle: string, last: string): Uint8Array[] => [
    utf8(KOSME),
    bytesOfHex(middle),
    joined([bytesOfHex(last), utf8("edited")]),
  ];
  const cases: FuzzCase[] = [];
  for (const [index, [middle, last]] of (
    [
      ["f4908080", ""],
      ["f490", "8080"],
    ] as const
  ).entries()) {
    const three = parts(middle, last);
    const byFrames: FuzzCase["run"] = async (peer, { pauseMs, failMs }) => {
      for (const [at, frame] of fragments(three).entries()) {
        if (at === 2 && !(await peer.untilEnd(failMs)) && peer.closeCode === undefined)
          peer.events.push("wrong: it did not fail at the first bad byte");
        await peer.send([frame]);
        if (at === 0) await sleep(pauseMs / 10);
      }
    };
    const byPieces: FuzzCase["run"] = async (peer, { pauseMs, failMs }) => {
      const bytes = peer.frame({ opcode: 1, payload: joined(three) });
      const lengths = three.map((one) => one.length);
      const second = bytes.length - (lengths[2] as number);
      const first = second - (lengths[1] as number);
      await peer.sendBytes(bytes.subarray(0, first));
      await sleep(pauseMs / 10);
      await peer.sendBytes(bytes.subarray(first, second));
      if (!(await peer.untilEnd(failMs)) && peer.closeCode === undefined)
        peer.events.push("wrong: it did not fail at the first bad byte");
      await peer.sendBytes(bytes.subarray(second));
    };
    cases.push({ id: `6.4.${index + 1}`, run: byFrames, ok: [], ...FAIL });
    cases.push({ id: `6.4.${index + 3}`, run: byPieces, ok: [], ...FAIL });
  }
  return cases;
}

const range = (from: number, to: number, between = ""): string =>
  Array.from(
    { length: to - from + 1 },
    (_, index) => (from + index).toString(16).padStart(2, "0") + between,
  ).join("");
const prefixes = Array.from(utf8(KOSME), (_, index) =>
  Array.from(utf8(KOSME).subarray(0, index + 1), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  ),
);
const MISSING_LAST = [
  "c0",
  "e080",
  "f08080",
  "f8808080",
  "fc808080",
  "df",
  "efbf",
  "f7bfbf",
  "fbbfbfbf",
  "fdbfbfbfbf",
];
const NON_CHARACTERS = Array.from({ length: 17 }, (_, plane) =>
  [0xfffe, 0xffff].map((low) => {
    const bytes = utf8(String.fromCodePoint(plane * 0x1_0000 + low));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }),
).flat();

/** After Markus Kuhn's stress test of UTF-8 decoders: groups 6.5 to 6.23. */
const CATALOGUE: readonly (readonly string[])[] = [
  [
    "68656c6c6f24776f726c64",
    "68656c6c6fc2a2776f726c64",
    "68656c6c6fe282ac776f726c64",
    "68656c6c6ff0a4ada2776f726c64",
    "cebae1bdb9cf83cebcceb5",
  ],
  prefixes,
  ["00", "c280", "e0a080", "f0908080"],
  ["f888808080", "fc8480808080"],
  ["7f", "dfbf", "efbfbf", "f48fbfbf"],
  ["f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"],
  ["ed9fbf", "ee8080", "efbfbd", "f48fbfbf", "f4908080"],
  ["80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf", range(0x80, 0xbf)],
  [
    range(0xc0, 0xdf, "20"),
    range(0xe0, 0xef, "20"),
    range(0xf0, 0xf7, "20"),
    range(0xf8, 0xfb, "20"),
    range(0xfc, 0xfd, "20"),
  ],
  MISSING_LAST,
  [MISSING_LAST.join("")],
  ["fe", "ff", "fefeffff"],
  ["c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"],
  ["c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"],
  ["c080", "e08080", "f0808080", "f880808080", "fc8080808080"],
  ["eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"],
  [
    "eda080edb080",
    "eda080edbfbf",
    "edadbfedb080",
    "edadbfedbfbf",
    "edae80edb080",
    "edae80edbfbf",
    "edafbfedb080",
    "edafbfedbfbf",
  ],
  NON_CHARACTERS,
  ["efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd", "efbfbe", "efbfbf"],
];

/** Asked of the runtime, not of what is judged. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const catalogue: readonly FuzzCase[] = CATALOGUE.flatMap((group, index) =>
  group.map((hex, at): FuzzCase => {
    const payload = bytesOfHex(hex);
    const id = `6.${index + 5}.${at + 1}`;
    const run: FuzzCase["run"] = (peer) => peer.send([{ opcode: 1, payload }]);
    return isUtf8(payload)
      ? { id, run, ok: [eventOf(1, payload)], ...CLEAN }
      : { id, run, ok: [], ...FAIL };
  }),
);

export const textCases: readonly FuzzCase[] = [...basic, ...failFast(), ...catalogue];
