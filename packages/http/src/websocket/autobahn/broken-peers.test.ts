/** The judge itself: what it is shown wrong, it finds wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { type ByteStream, createMemoryStreamPair } from "arborio/streams";
import { FrameParser } from "../../protocol/websocket/frame-parser.ts";
import { encodeFrame } from "../../protocol/websocket/encode-frame.ts";
import { joined } from "../../protocol/websocket/frames.test.kit.ts";
import { judge } from "./case.test.kit.ts";
import { suite } from "./suite.test.kit.ts";

/** What a server does wrong; everything else it does as it should, apart from checking texts and close frames. */
interface Fault {
  readonly pongsNothing?: boolean;
  readonly masks?: boolean;
  readonly alters?: boolean;
  readonly answersNoClose?: boolean;
  readonly pongsLate?: boolean;
}

/** A small server that echoes. */
async function serve(stream: ByteStream, fault: Fault): Promise<void> {
  const mask = fault.masks === true ? Uint8Array.of(1, 2, 3, 4) : undefined;
  const parser = new FrameParser({ role: "server" });
  const send = (opcode: number, payload: Uint8Array): Promise<void> =>
    stream.send(encodeFrame({ opcode, mask }, payload));
  let message: Uint8Array[] = [];
  let late: Uint8Array[] = [];
  for await (const bytes of stream) {
    parser.push(bytes);
    for (;;) {
      let event;
      try {
        event = parser.next();
      } catch {
        await send(8, Uint8Array.of(3, 234));
        return stream.close();
      }
      if (event === undefined) break;
      if (event.kind === "close") {
        if (fault.answersNoClose !== true) await send(8, event.bytes);
        return stream.close();
      }
      if (event.kind === "pong") continue;
      if (event.kind === "ping") {
        if (fault.pongsLate === true) late.push(event.bytes);
        else if (fault.pongsNothing !== true) await send(10, event.bytes);
        continue;
      }
      message.push(event.bytes.slice());
      if (!event.isLast) continue;
      const whole = joined(message);
      if (fault.alters === true && whole.length > 0) whole[0] = (whole[0] as number) ^ 1;
      for (const one of late) await send(10, one);
      late = [];
      message = [];
      await send(event.kind === "text" ? 1 : 2, whole);
    }
  }
}

/** The cases of groups 1 to 7 that fail. */
async function failuresOf(fault: Fault): Promise<Set<string>> {
  const failures = new Set<string>();
  const settings = { pauseMs: 1000, failMs: 1000, isFull: false };
  await run(
    async () => {
      for (const one of suite) {
        if (!/^[1-7]\./.test(one.id)) continue;
        const [near, far] = createMemoryStreamPair();
        const failure = await taskGroup(async (group) => {
          group.startSoon(() => serve(far, fault).catch(() => {}), { daemon: true });
          return await judge(one, near, "client", settings);
        });
        if (failure !== undefined) failures.add(one.id);
      }
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
  return failures;
}

/** Which it finds beside what the small server never checks: texts, and payloads of close frames. */
const UNCHECKED = /^(6\.[3-9]|6\.1\d|6\.2\d|7\.3\.2|7\.5\.1|7\.9|7\.13)/;

for (const [name, fault, wanted] of [
  ["no fault", {}, []],
  ["pings are not answered", { pongsNothing: true }, ["2.1", "2.10", "5.6", "5.19"]],
  ["pings are answered late", { pongsLate: true }, ["2.1", "5.19", "5.20"]],
  ["frames of the server are masked", { masks: true }, ["1.1.1", "2.1"]],
  ["messages are altered", { alters: true }, ["1.1.2", "1.2.8", "5.3", "6.2.1", "7.1.1"]],
  ["a close is not answered", { answersNoClose: true }, ["1.1.1", "7.1.1", "7.7.3"]],
] as const) {
  void test(`the judge finds: ${name}`, async () => {
    const failures = await failuresOf(fault);
    for (const id of wanted) assert.ok(failures.has(id), `${id} was not found`);
    // What must be refused and is not, it finds always.
    for (const id of ["6.3.1", "6.4.1", "6.8.1", "6.13.1"]) assert.ok(failures.has(id), id);
    if (wanted.length === 0)
      assert.deepEqual(
        [...failures].filter((id) => !UNCHECKED.test(id)),
        [],
      );
  });
}
