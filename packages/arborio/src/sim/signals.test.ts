import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep, sleepForever } from "../index.ts";
import { openSignalReceiver } from "../process.ts";
import { simulate } from "../sim.ts";

test("simulated signals: whoever listens on the host gets them, and nothing else happens", async () => {
  await simulate({}, async (world) => {
    const got: string[] = [];
    const server = world.host("server");
    const task = server.start(async () => {
      using receiver = openSignalReceiver(["SIGHUP", "SIGTERM"]);
      for await (const name of receiver) got.push(name);
    });
    world.host("other", async () => {
      using receiver = openSignalReceiver(["SIGHUP"]);
      for await (const name of receiver) got.push(`other ${name}`);
    });
    await sleep(1);
    server.signal("SIGHUP");
    server.signal("SIGTERM");
    await sleep(1);
    assert.deepEqual(got, ["SIGHUP", "SIGTERM"]);
    assert.equal(task.status, "pending");
  });
});

test("simulated signals: SIGTERM and SIGINT that nobody listens for end what was started on the host", async () => {
  for (const signal of ["SIGTERM", "SIGINT"]) {
    await simulate({}, async (world) => {
      let cleanedUp = false;
      const server = world.host("server");
      const task = server.start(async () => {
        try {
          await sleepForever();
        } finally {
          cleanedUp = true;
        }
      });
      const other = world.host("other").start(() => sleepForever());
      await sleep(1);
      server.signal("SIGUSR1");
      await sleep(1);
      assert.equal(task.status, "pending");
      server.signal(signal);
      await task.wait();
      assert.ok(cleanedUp);
      assert.equal(other.status, "pending");
    });
  }
});

test("simulated signals: which there are not, and which no program can handle, are refused", async () => {
  await simulate({}, (world) => {
    assert.throws(() => world.localhost.signal("SIGNOTHING"), /got "SIGNOTHING"/);
    assert.throws(() => world.localhost.signal("SIGKILL"), RangeError);
    assert.throws(() => openSignalReceiver(["SIGKILL"]), RangeError);
  });
});
