/** Groups 1 to 5: framing, pings and pongs, reserved bits and opcodes, fragmentation. */
import { sleep } from "arborio";
import { type FuzzCase, pongEvent, textEvent } from "./case.test.kit.ts";
import { eventOf, type FuzzFrame } from "./fuzz-peer.test.kit.ts";

const HELLO = "Hello, world!";
const CLEAN = { end: "close", codes: [1000] } as const;
const FAIL = { end: "fail", codes: [1002] } as const;

/** Sends the frames, whole, frame by frame, or octet by octet. */
function sending(
  frames: readonly FuzzFrame[],
  chop: "whole" | "frames" | "octets" = "whole",
): FuzzCase["run"] {
  return async (peer) => {
    if (chop === "frames") for (const frame of frames) await peer.send([frame]);
    else await peer.send(frames, chop === "octets" ? 1 : Infinity);
  };
}

function echoCases(): FuzzCase[] {
  const cases: FuzzCase[] = [];
  for (const [group, opcode] of [
    [1, 1],
    [2, 2],
  ] as const) {
    for (const [index, length] of [0, 125, 126, 127, 128, 65_535, 65_536, 65_536].entries()) {
      const payload = new Uint8Array(length).fill(opcode === 1 ? 0x2a : 0xfe);
      const run: FuzzCase["run"] = (peer) =>
        peer.send([{ opcode, payload }], index === 7 ? 997 : Infinity);
      cases.push({ id: `1.${group}.${index + 1}`, run, ok: [eventOf(opcode, payload)], ...CLEAN });
    }
  }
  return cases;
}

function pingCases(): FuzzCase[] {
  const ping = (payload: string | Uint8Array = ""): FuzzFrame => ({ opcode: 9, payload });
  const pong = (payload = ""): FuzzFrame => ({ opcode: 10, payload });
  const long = new Uint8Array(125).fill(0xfe);
  const binary = Uint8Array.of(0, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0, 0xff);
  const ten = Array.from({ length: 10 }, (_, index) => `payload-${index}`);
  const tenPings = ten.map((payload) => ping(payload));
  const all: readonly Omit<FuzzCase, "id">[] = [
    { run: sending([ping()]), ok: [pongEvent("")], ...CLEAN },
    { run: sending([ping(HELLO)]), ok: [pongEvent(HELLO)], ...CLEAN },
    { run: sending([ping(binary)]), ok: [pongEvent(binary)], ...CLEAN },
    { run: sending([ping(long)]), ok: [pongEvent(long)], ...CLEAN },
    { run: sending([ping(new Uint8Array(126).fill(0xfe))]), ok: [], ...FAIL },
    { run: sending([ping(long)], "octets"), ok: [pongEvent(long)], ...CLEAN },
    { run: sending([pong()]), ok: [], ...CLEAN },
    { run: sending([pong("unsolicited")]), ok: [], ...CLEAN },
    { run: sending([pong("unsolicited"), ping("ping")]), ok: [pongEvent("ping")], ...CLEAN },
    { run: sending(tenPings), ok: ten.map(pongEvent), ...CLEAN },
    { run: sending(tenPings, "octets"), ok: ten.map(pongEvent), ...CLEAN },
  ];
  return all.map((one, index) => ({ id: `2.${index + 1}`, ...one }));
}

/** What is wrong, alone, or between a good message and a ping. */
function brokenCases(): FuzzCase[] {
  const good: FuzzFrame = { opcode: 1, payload: HELLO };
  const between = (bad: FuzzFrame, chop: "whole" | "frames" | "octets"): Omit<FuzzCase, "id"> => ({
    run: sending([good, bad, { opcode: 9 }], chop),
    ok: [textEvent(HELLO)],
    alsoOk: [[]],
    ...FAIL,
  });
  const alone = (bad: FuzzFrame): Omit<FuzzCase, "id"> => ({
    run: sending([bad]),
    ok: [],
    ...FAIL,
  });
  const cases: FuzzCase[] = [
    { id: "3.1", ...alone({ ...good, rsv: 1 }) },
    { id: "3.2", ...between({ ...good, rsv: 2 }, "whole") },
    { id: "3.3", ...between({ ...good, rsv: 3 }, "frames") },
    { id: "3.4", ...between({ ...good, rsv: 4 }, "octets") },
    { id: "3.5", ...alone({ opcode: 2, payload: new Uint8Array(8).fill(0xff), rsv: 5 }) },
    { id: "3.6", ...alone({ opcode: 9, payload: HELLO, rsv: 6 }) },
    { id: "3.7", ...alone({ opcode: 8, rsv: 7 }) },
  ];
  for (const [group, first] of [
    [1, 3],
    [2, 11],
  ] as const) {
    cases.push(
      { id: `4.${group}.1`, ...alone({ opcode: first }) },
      { id: `4.${group}.2`, ...alone({ opcode: first + 1, payload: "reserved opcode" }) },
      { id: `4.${group}.3`, ...between({ opcode: first + 2 }, "whole") },
      { id: `4.${group}.4`, ...between({ opcode: first + 3, payload: HELLO }, "frames") },
      { id: `4.${group}.5`, ...between({ opcode: first + 4, payload: HELLO }, "octets") },
    );
  }
  return cases;
}

const part = (opcode: number, payload: string, fin: boolean): FuzzFrame => ({
  opcode,
  payload,
  fin,
});

function fragmentCases(): FuzzCase[] {
  const two = [part(1, "fragment1", false), part(0, "fragment2", true)];
  const withPing = [
    part(1, "fragment1", false),
    { opcode: 9, payload: "ping payload" },
    part(0, "fragment2", true),
  ];
  const message = textEvent("fragment1fragment2");
  const pinged = [pongEvent("ping payload"), message];
  const cases: FuzzCase[] = [
    {
      id: "5.1",
      run: sending([part(9, "fragment1", false), part(0, "fragment2", true)]),
      ok: [],
      ...FAIL,
    },
    {
      id: "5.2",
      run: sending([part(10, "fragment1", false), part(0, "fragment2", true)]),
      ok: [],
      ...FAIL,
    },
  ];
  const chops = ["whole", "frames", "octets"] as const;
  for (const [index, chop] of chops.entries()) {
    cases.push({ id: `5.${3 + index}`, run: sending(two, chop), ok: [message], ...CLEAN });
    cases.push({ id: `5.${6 + index}`, run: sending(withPing, chop), ok: pinged, ...CLEAN });
    for (const [first, fin] of [
      [9, true],
      [12, false],
    ] as const) {
      const stray = [part(0, "non-continuation payload", fin), { opcode: 1, payload: HELLO }];
      cases.push({ id: `5.${first + index}`, run: sending(stray, chop), ok: [], ...FAIL });
    }
  }
  const strayBehind = [...two, part(0, "fragment3", false), part(1, "fragment4", true)];
  const again = (fin: boolean): FuzzFrame[] =>
    [1, 2].flatMap(() => [
      part(0, "fragment1", fin),
      part(1, "fragment2", false),
      part(0, "fragment3", true),
    ]);
  cases.push(
    { id: "5.15", run: sending(strayBehind), ok: [message], alsoOk: [[]], ...FAIL },
    { id: "5.16", run: sending(again(false)), ok: [], ...FAIL },
    { id: "5.17", run: sending(again(true)), ok: [], ...FAIL },
    {
      id: "5.18",
      run: sending([part(1, "fragment1", false), part(1, "fragment2", true)]),
      ok: [],
      ...FAIL,
    },
  );
  for (const [id, chop] of [
    ["5.19", "whole"],
    ["5.20", "frames"],
  ] as const)
    cases.push({ id, run: fivePieces(chop), ok: fiveEvents(), ...CLEAN });
  return cases;
}

function fiveEvents(): string[] {
  const whole = [1, 2, 3, 4, 5].map((index) => `fragment${index}`).join("");
  return [pongEvent("pongme 1!"), pongEvent("pongme 2!"), textEvent(whole)];
}

/** Five fragments with two pings and a pause: the first pong comes before the message goes on. */
function fivePieces(chop: "whole" | "frames"): FuzzCase["run"] {
  return async (peer, settings) => {
    const first = [
      part(1, "fragment1", false),
      part(0, "fragment2", false),
      { opcode: 9, payload: "pongme 1!" },
    ];
    await sending(first, chop)(peer, settings);
    await sleep(settings.pauseMs);
    if (peer.events.length === 0) peer.events.push("wrong: no pong before the message went on");
    const second = [
      part(0, "fragment3", false),
      part(0, "fragment4", false),
      { opcode: 9, payload: "pongme 2!" },
      part(0, "fragment5", true),
    ];
    await sending(second, chop)(peer, settings);
  };
}

export const framingCases: readonly FuzzCase[] = [
  ...echoCases(),
  ...pingCases(),
  ...brokenCases(),
  ...fragmentCases(),
];
