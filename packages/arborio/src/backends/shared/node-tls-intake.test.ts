import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createWirePair } from "../../testing/wire-pair.ts";
import type { TlsEngine } from "./node-tls-engine.ts";
import { TlsIntake } from "./node-tls-intake.ts";

/** A wire that notes how it is paused, and an engine that notes what it gets. */
function setUp(): { intake: TlsIntake; engine: FakeEngine; log: string[] } {
  const log: string[] = [];
  const [wire] = createWirePair();
  wire.pause = () => log.push("pause");
  wire.resume = () => log.push("resume");
  const intake = new TlsIntake(wire);
  const engine = new FakeEngine(log);
  intake.connect(engine as unknown as TlsEngine);
  return { intake, engine, log };
}

class FakeEngine {
  takes = true;
  isFed = true;
  readonly #log: string[];

  constructor(log: string[]) {
    this.#log = log;
  }

  feed(bytes: Uint8Array): boolean {
    this.#log.push(`feed ${bytes.length}`);
    return this.takes;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("TlsIntake", () => {
  test("during the handshake bytes come a turn late, and in order with those after it", async () => {
    const { intake, log } = setUp();
    intake.feed(new Uint8Array(1));
    intake.feed(new Uint8Array(2));
    intake.hurry();
    intake.feed(new Uint8Array(3));
    assert.deepEqual([log, intake.isEmpty], [[], false]);
    await turn();
    assert.deepEqual([log, intake.isEmpty], [["feed 1", "feed 2", "feed 3"], true]);
    intake.feed(new Uint8Array(4));
    assert.equal(log.at(-1), "feed 4");
  });

  test("what waits for its turn is limited", async () => {
    const { intake, log } = setUp();
    intake.feed(new Uint8Array(65_536));
    assert.deepEqual(log, []);
    intake.feed(new Uint8Array(1));
    assert.deepEqual(log, ["pause"]);
    await turn();
    assert.deepEqual(log, ["pause", "feed 65536", "feed 1", "resume"]);
  });

  test("an engine that takes no more pauses the wire, whenever the bytes come", async () => {
    const { intake, engine, log } = setUp();
    engine.takes = false;
    intake.feed(new Uint8Array(1));
    await turn();
    assert.deepEqual(log.splice(0), ["feed 1", "pause"]);
    intake.hungry();
    intake.hurry();
    intake.feed(new Uint8Array(2));
    assert.deepEqual(log.splice(0), ["resume", "feed 2", "pause"]);
    engine.isFed = false;
    assert.equal(intake.isEmpty, false);
  });

  test("the wire is resumed when nobody wants it paused any more", async () => {
    const { intake, engine, log } = setUp();
    intake.hurry();
    engine.takes = false;
    intake.feed(new Uint8Array(1));
    intake.pause();
    intake.hungry();
    assert.deepEqual(log.splice(0), ["feed 1", "pause"]);
    intake.resume();
    intake.resume();
    intake.hungry();
    assert.deepEqual(log, ["resume"]);
  });
});
