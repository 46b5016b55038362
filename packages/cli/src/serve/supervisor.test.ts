import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CancelScope,
  Event,
  now,
  run,
  sleep,
  sleepForever,
  soft,
  taskGroup,
  waitAllTasksBlocked,
} from "arborio";
import { simulator } from "arborio/sim";
import type { Listening } from "./listening.ts";
import { type RunWorker, Supervisor, type WorkerEnd } from "./supervisor.ts";

/** What a worker of the tests does. */
interface Behaviour {
  /** Ends so long after it began to listen; default: never. */
  readonly crashesAfterMs?: number;
  /** Ends, or hangs, instead of listening. */
  readonly comesUp?: "never" | "not";
  /** Takes so long to finish when it is asked. */
  readonly finishesInMs?: number;
}

/** Workers that behave as told, in the order in which they are started; the last behaviour is that of all further ones. */
class Workers {
  readonly log: string[] = [];
  readonly ports: (number | undefined)[] = [];
  readonly behaviours: readonly Behaviour[];
  alive = 0;
  aliveMin = Infinity;
  #count = 0;

  constructor(...behaviours: Behaviour[]) {
    this.behaviours = behaviours;
  }

  readonly run: RunWorker = async (port, onListening) => {
    this.ports.push(port);
    const number = ++this.#count;
    const {
      comesUp,
      crashesAfterMs = Infinity,
      finishesInMs = 5,
    } = this.behaviours[Math.min(number, this.behaviours.length) - 1] ?? {};
    let how = "died";
    try {
      await sleep(1);
      if (comesUp === "not") return ended("ended with exit code 1");
      if (comesUp === "never") await sleepForever();
      this.#listens(1);
      onListening(listeningOn(port ?? 4711));
      this.log.push(`${number} listens`);
      const crash = async (): Promise<true> => {
        await sleep(Math.min(crashesAfterMs, 1e12));
        return true;
      };
      if ((await soft(crash)) === true) {
        how = "crashed";
        this.#listens(-1);
        return ended("ended with exit code 1");
      }
      how = "was cut short";
      this.#listens(-1);
      await sleep(finishesInMs);
      how = "finished";
      return ended("ended");
    } finally {
      this.log.push(`${number} ${how} at ${Math.round(now())}`);
    }
  };

  #listens(change: number): void {
    this.alive += change;
    if (change < 0) this.aliveMin = Math.min(this.aliveMin, this.alive);
  }
}

function ended(how: string): WorkerEnd {
  return { how, isUsage: false };
}

function listeningOn(port: number): Listening {
  return {
    url: `http://localhost:${port}/`,
    addresses: [{ family: "ipv4", host: "0.0.0.0", port }] as never,
  };
}

/** Supervises workers in virtual time, while a body runs; then asks all to end. */
async function supervised(
  workers: Workers,
  count: number,
  body: (supervisor: Supervisor, said: string[]) => Promise<void>,
): Promise<string[]> {
  const said: string[] = [];
  const main = async (): Promise<void> => {
    const scope = new CancelScope();
    const supervisor = new Supervisor({
      workers: count,
      runWorker: workers.run,
      graceMs: 100,
      say: (line) => said.push(line),
    });
    const listens = new Event();
    await taskGroup(async (group) => {
      group.startSoon(
        async () => {
          await listens.wait();
          await body(supervisor, said);
          scope.shutdown({ graceMs: 1000 });
        },
        { daemon: true },
      );
      await scope.run(() =>
        supervisor.run(() => {
          said.push("listening");
          listens.set();
        }),
      );
    });
    assert.equal(scope.cancelledCaught, false, "the shutdown had to be a hard one");
  };
  await run(main, { backend: simulator({ order: "fifo" }) });
  return said;
}

test("Supervisor: the first worker finds the port, the others share it; a shutdown lets all finish", async () => {
  const workers = new Workers({});
  const said = await supervised(workers, 3, async () => {
    await sleep(10);
    assert.equal(workers.alive, 3);
  });
  assert.deepEqual(workers.ports, [undefined, 4711, 4711]);
  assert.deepEqual(said, ["listening"]);
  assert.equal(workers.log.filter((line) => line.includes("finished")).length, 3);
});

test("Supervisor: if the first worker does not come up, none does", async () => {
  const workers = new Workers({ comesUp: "not" });
  const options = { workers: 3, runWorker: workers.run, graceMs: 0, say: () => {} };
  const main = (): Promise<void> => new Supervisor(options).run(() => assert.fail());
  await assert.rejects(run(main, { backend: simulator() }), {
    name: "CommandError",
    message: "the first worker ended with exit code 1 before it listened",
  });
  assert.deepEqual(workers.ports, [undefined]);
});

test("Supervisor: asked to end before the first worker listens, it ends, and that is no failure", async () => {
  const workers = new Workers({ comesUp: "never" });
  const main = async (): Promise<void> => {
    const scope = new CancelScope();
    const runWorker: RunWorker = async (port, onListening) =>
      (await soft(() => workers.run(port, onListening))) ?? ended("was ended by SIGTERM");
    const options = { workers: 2, runWorker, graceMs: 0, say: () => {} };
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        await sleep(100);
        scope.shutdown({ graceMs: 1000 });
      });
      await scope.run(() => new Supervisor(options).run(() => assert.fail()));
    });
    assert.equal(scope.cancelledCaught, false);
  };
  await run(main, { backend: simulator() });
  assert.equal(workers.ports.length, 1);
});

test("Supervisor: a worker that crashes has a successor, later each time, until it has lived long enough", async () => {
  const crash = { crashesAfterMs: 1 };
  const workers = new Workers({}, crash, crash, crash, { crashesAfterMs: 20_000 }, {});
  const said = await supervised(workers, 2, async () => {
    await sleep(60_000);
    assert.equal(workers.alive, 2);
  });
  assert.deepEqual(
    said
      .slice(1)
      .map((line) =>
        line.replace(/^worker 2 ended with exit code 1; another one is started in /, ""),
      ),
    ["0.5 s", "1 s", "2 s", "0.5 s"],
  );
});

test("Supervisor.reload: replaces one after the other, and never has fewer", async () => {
  const workers = new Workers({ finishesInMs: 50 });
  const said = await supervised(workers, 3, async (supervisor) => {
    await sleep(10);
    await supervisor.reload();
    assert.equal(workers.alive, 3);
    assert.equal(workers.aliveMin, 3);
  });
  assert.deepEqual(said, ["listening", "3 workers were replaced"]);
  assert.equal(workers.log.filter((line) => line.includes("finished")).length, 6);
});

test("Supervisor.reload: an old worker that does not finish is ended when its grace is over", async () => {
  const workers = new Workers({ finishesInMs: 1e9 }, {});
  await supervised(workers, 1, async (supervisor) => {
    const start = now();
    await supervisor.reload();
    const tookMs = now() - start;
    assert.ok(tookMs >= 100 && tookMs < 200, `${tookMs}`);
  });
  assert.ok(workers.log.some((line) => line.startsWith("1 was cut short")));
});

for (const comesUp of ["not", "never"] as const) {
  test(`Supervisor.reload: a replacement that does ${comesUp} come up changes nothing`, async () => {
    const workers = new Workers({}, {}, { comesUp }, {});
    const said = await supervised(workers, 2, async (supervisor) => {
      await sleep(10);
      await supervisor.reload();
      assert.equal(workers.alive, 2);
    });
    const end = comesUp === "not" ? "ended with exit code 1" : "was ended";
    assert.deepEqual(said.slice(1), [
      `the new worker 1 ${end} before it listened; the old ones stay`,
    ]);
    assert.ok(!workers.log.some((line) => line.includes("crashed")));
  });
}

test("Supervisor.reload: while a crashed worker waits for its successor, there is only one of them", async () => {
  const workers = new Workers({}, { crashesAfterMs: 10 }, {});
  await supervised(workers, 2, async (supervisor) => {
    await sleep(20);
    assert.equal(workers.alive, 1);
    await supervisor.reload();
    await sleep(5_000);
    await waitAllTasksBlocked();
    assert.equal(workers.alive, 2);
    assert.equal(workers.ports.length, 4);
  });
});

test("Supervisor: asked to end while a crashed worker waits for its successor, it starts none", async () => {
  const workers = new Workers({}, { crashesAfterMs: 10 }, {});
  await supervised(workers, 2, async () => {
    await sleep(20);
  });
  assert.equal(workers.ports.length, 2);
});
