import assert from "node:assert/strict";
import { test } from "node:test";
import { moveOnAfter, sleep, taskGroup, WouldBlock } from "../../index.ts";
import { openFile, Path } from "../../fs.ts";
import { openProcess } from "../../process.ts";
import { simulate } from "../../sim.ts";

test("simulated files: who waits for a lock gets it in the order in which they asked, never two at once", async () => {
  for (let seed = 0; seed < 20; seed++) {
    await simulate({ seed }, async ({ localhost: { files } }) => {
      files.write("/lock", "");
      const order: number[] = [];
      let holders = 0;
      await taskGroup(async (group) => {
        for (let number = 0; number < 5; number++) {
          group.startSoon(async () => {
            // Farther apart than the disk's latencies are.
            await sleep(number * 5);
            using file = await openFile("/lock");
            using _lock = await file.lock();
            holders += 1;
            assert.equal(holders, 1);
            order.push(number);
            await sleep(100);
            holders -= 1;
          });
        }
      });
      assert.deepEqual(order, [0, 1, 2, 3, 4]);
    });
  }
});

test("simulated files: a lock that was waited for in vain is in nobody's way, whenever the wait ends", async () => {
  for (let seed = 0; seed < 100; seed++) {
    await simulate({ seed }, async ({ localhost }) => {
      localhost.files.write("/lock", "");
      using holder = await openFile("/lock");
      using waiter = await openFile("/lock");
      using other = await openFile("/lock");
      await taskGroup(async (group) => {
        const lease = await holder.lock();
        group.startSoon(async () => {
          await sleep(1);
          lease.release();
        });
        // About when the lock becomes free.
        await moveOnAfter(0.5 + seed / 50, async () => {
          const taken = await waiter.lock();
          taken.release();
        });
      });
      using _free = await other.lock({ wait: false });
    });
  }
});

test("simulated files: the lock of a process that is killed is free, and so is that of a host that crashes", async () => {
  await simulate({ seed: 1 }, async (world) => {
    const server = world.host("server");
    server.files.write("/lock", "");
    server.program("holder", async () => {
      const file = await openFile("/lock");
      await file.lock();
      await sleep(Infinity);
    });
    await server.run(async () => {
      await using holder = await openProcess(["holder"]);
      await sleep(100);
      using file = await openFile("/lock");
      await assert.rejects(file.lock({ wait: false }), WouldBlock);
      holder.sendSignal("SIGKILL");
      using _lock = await file.lock();
    });
    server.start(async () => {
      const file = await openFile("/lock");
      await file.lock();
      await sleep(Infinity);
    });
    await sleep(100);
    server.crash();
    await server.run(async () => {
      using file = await openFile("/lock");
      using _lock = await file.lock({ wait: false });
    });
  });
});

test("simulated files: after a crash nobody holds a lock, and nothing that was open takes room", async () => {
  for (let seed = 0; seed < 60; seed++) {
    await simulate({ seed }, async (world) => {
      const server = world.host("server");
      server.files.write("/lock", "");
      const used = server.files.usedBytes;
      for (let number = 0; number < 3; number++) {
        server.start(async () => {
          using file = await openFile("/lock");
          using removed = await openFile(`/removed ${number}`, { flags: "w" });
          await new Path(`/removed ${number}`).remove();
          await removed.write("x".repeat(100_000));
          using _lease = await file.lock();
          await sleep(Infinity);
        });
      }
      // One has it and others wait, or have just asked for it.
      await sleep(seed % 2 === 0 ? 50 : 1 + seed / 30);
      server.crash();
      await sleep(50);
      // That it was removed may be lost.
      for (let number = 0; number < 3; number++) server.files.remove(`/removed ${number}`);
      assert.equal(server.files.usedBytes, used);
      await server.run(async () => {
        using file = await openFile("/lock");
        using _lease = await file.lock({ wait: false });
      });
    });
  }
});
