import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import { Worker as NodeWorker } from "node:worker_threads";
import { BrokenResourceError, run, taskGroup } from "../index.ts";
import { testIf } from "../testing/test-if.test.kit.ts";
import {
  BrokenWorkerError,
  connectReceiveChannel,
  connectSendChannel,
  createThreadChannel,
  moduleAt,
  runInThread,
  type ThreadReceiveChannel,
  type ThreadSendChannel,
  withPortal,
} from "../threads.ts";
import { kitUrl } from "./on-threads.test.kit.ts";
import type * as Kit from "./thread-channel.test.kit.ts";
import type { PlainRequest } from "./thread-channel-plain.test.kit.ts";

const plainUrl = kitUrl("thread-channel-plain");
const kit = moduleAt<typeof Kit>(kitUrl("thread-channel"));

/** A plain thread, whatever kind. */
interface Plain {
  ask(request: PlainRequest, transfer?: readonly MessagePort[]): Promise<unknown>;
  terminate(): Promise<void>;
}

function nodeThread(): Plain {
  const worker = new NodeWorker(plainUrl);
  return {
    async ask(request, transfer = []) {
      worker.postMessage(request, transfer as never);
      const [answer] = (await once(worker, "message")) as [unknown];
      return answer;
    },
    async terminate() {
      await worker.terminate();
    },
  };
}

function webThread(): Plain {
  const worker = new Worker(plainUrl, { type: "module" });
  return {
    async ask(request, transfer = []) {
      worker.postMessage(request, transfer as Transferable[]);
      const [event] = (await once(worker, "message")) as [MessageEvent<unknown>];
      return event.data;
    },
    async terminate() {
      worker.terminate();
    },
  };
}

/** Sends 20 numbers, and receives them doubled. */
async function exchange(
  sender: ThreadSendChannel<number>,
  receiver: ThreadReceiveChannel<number>,
): Promise<void> {
  await taskGroup(async (group) => {
    group.startSoon(async () => {
      using _closing = sender;
      for (let n = 0; n < 20; n++) await sender.send(n);
    });
    const got: number[] = [];
    for await (const n of receiver) got.push(n);
    assert.deepEqual(
      got,
      Array.from({ length: 20 }, (_, n) => 2 * n),
    );
  });
}

const kinds = [
  { kind: "of node:worker_threads", start: nodeThread, register: test },
  {
    kind: "of the web",
    start: webThread,
    register: testIf("Worker" in globalThis, "this runtime has no Worker of the web"),
  },
] as const;

for (const { kind, start, register } of kinds) {
  void register(`thread channel: a plain thread ${kind} has ends of it`, async () => {
    await run(async () => {
      const thread = start();
      const [sender, from] = createThreadChannel<number>(1);
      const [to, receiver] = createThreadChannel<number>(1);
      const ports = { from: from.handOver(), to: to.handOver() };
      const answer = thread.ask({ do: "double", ...ports }, [ports.from, ports.to]);
      await exchange(sender, receiver);
      assert.equal(await answer, 20);
      await thread.terminate();
    });
  });

  void register(`thread channel: a plain thread ${kind} makes one`, async () => {
    await run(async () => {
      const thread = start();
      const [to, from] = (await thread.ask({ do: "make" })) as [MessagePort, MessagePort];
      using receiver = connectReceiveChannel<number>(from);
      await exchange(connectSendChannel<number>(to), receiver);
      await thread.terminate();
    });
  });

  void register(`thread channel: a plain thread ${kind} that made one ends`, async () => {
    await run(async () => {
      const thread = start();
      const [to, from] = (await thread.ask({ do: "make" })) as [MessagePort, MessagePort];
      using sender = connectSendChannel<number>(to);
      using receiver = connectReceiveChannel<number>(from);
      await sender.send(1);
      assert.equal(await receiver.receive(), 2);
      await taskGroup(async (group) => {
        group.startSoon(() => assert.rejects(receiver.receive(), BrokenResourceError));
        await thread.terminate();
      });
      await assert.rejects(sender.send(1), BrokenResourceError);
      assert.throws(() => sender.clone(), BrokenResourceError);
    });
  });

  void register(`withPortal: a plain thread ${kind} uses it without a run`, async () => {
    await run(async () => {
      const thread = start();
      const functions = { add: (a: number, b: number) => a + b };
      await withPortal(functions, async (portal) => {
        const handle = portal.handle();
        assert.deepEqual(await thread.ask({ do: "portal", handle }, [handle]), [3, 7]);
        await portal.untilReleased();
      });
      await thread.terminate();
    });
  });
}

test("thread channel: the worker that made one crashes", async () => {
  await run(async () => {
    const port = await runInThread(kit, "make");
    using receiver = connectReceiveChannel<number>(port);
    assert.equal(await receiver.receive(), 1);
    await taskGroup(async (group) => {
      group.startSoon(() => assert.rejects(receiver.receive(), BrokenResourceError));
      await assert.rejects(runInThread(kit, "die"), BrokenWorkerError);
    });
  });
});

test("thread channel: open ends keep no program alive", async () => {
  const start = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  const own = kitUrl("thread-channel-left").pathname;
  const conditions = own.endsWith(".ts") ? ["--conditions=@arborio/source"] : [];
  const child = spawn(process.execPath, [...start, ...conditions, own], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (data: Uint8Array) => (said += new TextDecoder().decode(data)));
  const [code] = (await once(child, "exit")) as [number];
  assert.deepEqual([code, said.trim()], [0, "left"]);
});
