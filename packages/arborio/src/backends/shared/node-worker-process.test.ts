import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { deserialize, serialize } from "node:v8";
import { SystemError } from "../../core/errors.ts";
import type { WorkerExit, WorkerHandle } from "../../platform/threads.ts";
import { nodeWorkerCommand, type WorkerCommand } from "./node-worker-process-command.ts";
import { type MessageCodec, v8Codec } from "./node-worker-process-codec.ts";
import { NODE_WORKER_PROCESSES, startWorkerProcess } from "./node-worker-process.ts";

const TEST_MS_MAX = 30_000;
const isDeno = process.versions["deno"] !== undefined;

/** Bun has no serializer of V8. */
const codec: MessageCodec =
  process.versions["bun"] === undefined ? v8Codec : { encode: serialize, decode: deserialize };

interface Outcome {
  readonly exit: WorkerExit;
  readonly messages: readonly unknown[];
  readonly unreadable: number;
}

/** Starts what `command` says, and waits for its end. */
function outcomeOf(
  command: WorkerCommand,
  use: (handle: WorkerHandle) => void = () => {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const messages: unknown[] = [];
    let unreadable = 0;
    const handle = startWorkerProcess(
      {
        kind: "process",
        module: import.meta.url,
        name: "test",
        data: null,
        serve() {},
        isCall: () => false,
      },
      {
        message: (message) => messages.push(message),
        unreadable: () => (unreadable += 1),
        ended: (exit) => resolve({ exit, messages, unreadable }),
      },
      { ...NODE_WORKER_PROCESSES, codec, command },
    );
    handle.setNeeded(true);
    use(handle);
  });
}

/** A program of one line, which gets the arguments of a worker. */
function program(text: string): WorkerCommand {
  return () => [process.execPath, ...(isDeno ? ["eval"] : ["-e"]), text];
}

test("startWorkerProcess: a program that is not there is told by the end", async () => {
  const { exit } = await outcomeOf(() => ["/no/such/program"]);
  assert.deepEqual([exit.code, exit.signal], [undefined, undefined]);
  assert.ok(exit.error instanceof SystemError);
  assert.match(exit.error.message, /^start a worker, "\/no\/such\/program": .*\(ENOENT\)$/);
});

test(
  "startWorkerProcess: what cannot be read is told, and what can after it",
  { timeout: TEST_MS_MAX },
  async () => {
    const good = [...codec.encode({ message: "good" })].join();
    const text = `const { process } = globalThis.process === undefined ? await import("node:process") : globalThis;
      process.send(Uint8Array.of(1, 2, 3));
      process.send(Uint8Array.of(${good}));
      setTimeout(() => process.exit(5), 100);`;
    const { exit, messages, unreadable } = await outcomeOf(program(text));
    assert.deepEqual([exit.code, messages, unreadable], [5, ["good"], 1]);
  },
);

test(
  "startWorkerProcess: messages to one that is gone go nowhere",
  { timeout: TEST_MS_MAX },
  async () => {
    const { exit } = await outcomeOf(program("process.exit(3)"), (handle) => {
      for (let i = 0; i < 100; i++) handle.post(new Uint8Array(10_000));
      assert.throws(() => handle.post(() => {}), { name: "DataCloneError" });
    });
    assert.equal(exit.code, 3);
  },
);

test("codec: what cannot be cloned is refused as between threads", () => {
  for (const value of [new URL("http://example.com"), () => {}, Symbol("x"), new WeakMap()])
    assert.throws(() => codec.encode(value), { name: "DataCloneError" });
});

test("nodeWorkerCommand: flags of this program alone are left out", () => {
  const { execArgv } = process;
  const flagsOf = (flags: string[]): readonly string[] => {
    process.execArgv = flags;
    try {
      return nodeWorkerCommand("file:///work.js").filter((part) => part.startsWith("-"));
    } finally {
      process.execArgv = execArgv;
    }
  };
  const kept = ["--conditions=mine", "--max-old-space-size=100", "--import=x"];
  const source = import.meta.url.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
  const left = ["--inspect-brk=9229", "--test-isolation=process", "--watch", "--input-type=module"];
  assert.deepEqual(flagsOf([...left, ...kept]), [...kept, ...source]);
  assert.deepEqual(flagsOf(["-e", "-x()", ...kept, "--print", "--y"]), [...kept, ...source]);
  assert.deepEqual(flagsOf(["--conditions=@arborio/source"]), ["--conditions=@arborio/source"]);
  const [first, ...rest] = nodeWorkerCommand("file:///a%20b.js");
  assert.deepEqual([first, rest.at(-1)], [process.execPath, "/a b.js"]);
});
