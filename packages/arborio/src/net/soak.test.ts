/** Thousands of connections that end in every way there is, at random; nothing may be left of any of them. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test as runnerTest } from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { isCancelled } from "../core/cancelled.ts";
import { runningTasks } from "../core/task-tree.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { currentBackend } from "../platform/capabilities.ts";
import { simulatedWorld } from "../sim/world.ts";
import { failAfter, now, sleep } from "../sync/timeouts.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { connectTcp } from "./connect-tcp.ts";
import { listenTcp } from "./listen-tcp.ts";
import type { SocketStream } from "./socket-stream.ts";

const test = onEveryBackend(runnerTest);

const CONNECTIONS = 10_000;
/** In the simulator each resumption is a turn of the host. */
const CONNECTIONS_SIMULATED = 1000;
const AT_ONCE = 40;
/** Milliseconds after which no more connections are begun: usually it takes 2 to 4 s, but on a busy machine it may take 20. */
const ENOUGH_MS = 8000;
/** A connection that is not closed shows as a client that waits for its end; after so many milliseconds it does. */
const STUCK_MS = 30_000;
const LARGE = new Uint8Array(300_000);
const SMALL = new Uint8Array(100);

/** What a client asks the server to do. */
const ECHO = 0;
const SEND_LARGE = 1;
const FAIL = 2;
const RESET = 3;
const IGNORE = 4;
const WORKS = 5;

class Expected extends Error {}

async function serveOne(stream: SocketStream): Promise<void> {
  const [work] = await stream.receive(1);
  if (work === FAIL) throw new Expected();
  if (work === RESET) return stream.wire.close(true);
  if (work === IGNORE) return;
  if (work === SEND_LARGE) await stream.send(LARGE);
  for await (const chunk of stream) if (work === ECHO) await stream.send(chunk);
}

/** One client: asks for some work, receives all the while, and ends in some way. */
async function client(port: number, random: () => number): Promise<void> {
  using stream = await connectTcp("127.0.0.1", port);
  await taskGroup(async (group) => {
    const receiving = group.startSoon(async () => {
      const patience = random() < 0.3 ? 0.1 : 0;
      for await (const _chunk of stream) {
        if (random() >= patience) continue;
        stream.close();
        break;
      }
    });
    await stream.send(new Uint8Array([Math.floor(random() * WORKS)]));
    await stream.send(random() < 0.3 ? LARGE : SMALL);
    const end = random();
    if (end < 0.4) {
      await stream.sendEof();
      await receiving.wait();
    } else if (end < 0.7) stream.wire.close(true);
    receiving.cancel();
  });
}

function openDescriptors(): number | undefined {
  const folder = "/proc/self/fd";
  return existsSync(folder) ? readdirSync(folder).length : undefined;
}

async function until(done: () => boolean): Promise<void> {
  for (const end = now() + 5000; !done() && now() < end;) await sleep(5);
}

interface Outcomes {
  whole: number;
  cut: number;
  failed: number;
  handlers: number;
}

/** Runs clients one after the other; some are cancelled after a short while. */
async function clients(port: number, outcomes: Outcomes, isMore: () => boolean): Promise<void> {
  const random = (): number => currentBackend().entropy.random();
  while (isMore()) {
    const cutAfter = random() < 0.2 ? now() + random() * 4 : Infinity;
    const scope = new CancelScope({ deadline: cutAfter });
    try {
      await scope.run(() => client(port, random));
      outcomes[scope.cancelledCaught ? "cut" : "whole"] += 1;
    } catch (error) {
      if (isCancelled(error)) throw error;
      outcomes.failed += 1;
    }
  }
}

async function soak(count: number): Promise<Outcomes> {
  const outcomes = { whole: 0, cut: 0, failed: 0, handlers: 0 };
  const begin = now();
  let left = count;
  const isMore = (): boolean => left-- > 0 && now() - begin < ENOUGH_MS;
  await taskGroup(async (group) => {
    using listener = await listenTcp(0, { host: "127.0.0.1" });
    const onError = (): unknown => (outcomes.handlers += 1);
    const serving = group.startSoon(() => listener.serve(serveOne, { onError }));
    await failAfter(STUCK_MS, () =>
      taskGroup((own) => {
        for (let index = 0; index < AT_ONCE; index++)
          own.startSoon(() => clients(listener.port, outcomes, isMore));
      }),
    );
    await until(() => listener.statistics().connectionsHandled === 0);
    assert.equal(listener.statistics().connectionsHandled, 0);
    serving.cancel();
  });
  return outcomes;
}

test("connectTcp, Listener.serve: thousands of connections that end in every way leave no descriptor, timer or task", async () => {
  const isSimulated = currentBackend().name === "simulator";
  const { kernel } = ambientScope();
  const descriptors = openDescriptors();
  const [deadlines, tasks] = [kernel.deadlineCount, runningTasks().length];
  const outcomes = await soak(isSimulated ? CONNECTIONS_SIMULATED : CONNECTIONS);
  console.log(`# soak: ${JSON.stringify(outcomes)}`);
  for (const [name, count] of Object.entries(outcomes)) assert.ok(count > 20, `${name}: ${count}`);
  assert.equal(kernel.deadlineCount, deadlines, "deadlines were left behind");
  assert.equal(runningTasks().length, tasks, "tasks were left behind");
  if (isSimulated) {
    await until(() => simulatedWorld().netstat().length === 0);
    assert.deepEqual(simulatedWorld().netstat(), []);
  } else if (descriptors === undefined) {
    console.log("# descriptors were not counted: this system has no /proc/self/fd");
  } else {
    await until(() => (openDescriptors() ?? 0) <= descriptors);
    const left = openDescriptors() ?? 0;
    assert.ok(left <= descriptors, `${left} descriptors, ${descriptors} before`);
  }
});
