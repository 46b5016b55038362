import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenResourceError, run, SystemError } from "arborio";
import { simulator } from "arborio/sim";
import { createMemoryStreamPair } from "arborio/streams";
import { parseChecksum } from "./checksum.ts";
import { OutputTarget } from "./output-target.ts";

const ABC = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const VERSION = { validator: '"1"', totalBytes: 3 };
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function simulated(title: string, body: () => Promise<void>): void {
  test(title, () => run(body, { backend: simulator() }));
}

/** A target, and what it gave out. */
function createTarget(): { target: OutputTarget; received: () => Promise<string> } {
  const [output, reader] = createMemoryStreamPair();
  const target = new OutputTarget(output, parseChecksum(ABC), () => assert.fail("lost"));
  return {
    target,
    received: async () => new TextDecoder().decode(await reader.receive()),
  };
}

simulated("OutputTarget: what breaks off is completed, and checked as a whole", async () => {
  const { target, received } = createTarget();
  assert.equal(target.part, null);
  await target.begin(VERSION);
  await target.write(bytesOf("ab"));
  assert.deepEqual(target.part, { version: VERSION, sizeBytes: 2 });
  assert.equal(await received(), "ab");
  await target.resume(VERSION);
  await target.write(bytesOf("c"));
  assert.equal(await received(), "c");
  await target.finish(parseChecksum(ABC));
});

simulated("OutputTarget: another checksum is a failure, though the bytes are out", async () => {
  const { target } = createTarget();
  await target.begin(VERSION);
  await target.write(bytesOf("abd"));
  await assert.rejects(target.finish(parseChecksum(ABC)), {
    name: "CommandError",
    message: /^its sha-256 checksum is .*; it went to standard output nevertheless$/,
  });
});

simulated("OutputTarget: what is out cannot be begun anew", async () => {
  const { target } = createTarget();
  await target.begin(VERSION);
  await target.begin(VERSION);
  await target.write(bytesOf("a"));
  await assert.rejects(target.begin(VERSION), {
    name: "CommandError",
    message: "it broke off, and its rest cannot be had; what went to standard output is incomplete",
  });
});

simulated(
  "OutputTarget: what the system says of the output goes to whoever ends the command",
  async () => {
    const cause = new SystemError("write: the disk is full", "ENOSPC");
    const output = {
      send: () => Promise.reject(new BrokenResourceError("standardOutput.send", { cause })),
      close: () => {},
    };
    const lost: Error[] = [];
    const target = new OutputTarget(output as never, null, (error) => lost.push(error));
    await target.begin(VERSION);
    await assert.rejects(target.write(bytesOf("a")), { name: "CommandError" });
    assert.deepEqual(lost, [cause]);
  },
);
