import assert from "node:assert/strict";
import { test } from "node:test";
import { failAfter, now, run, TimeoutError } from "arborio";
import { ConnectionFailedError, listenTcp } from "arborio/net";
import { simulate } from "arborio/sim";
import { parsePorts, scanPorts } from "./scan.ts";

const LIMITS = { concurrency: 10, timeoutMs: 500 };

test("scanPorts: open, closed and silent ports of simulated hosts are told apart", () =>
  simulate({ seed: 3 }, async (world) => {
    const server = world.host("server");
    await server.run(() => listenTcp(80));
    await server.run(() => listenTcp(8080));
    world.host("dark", { silent: true });
    const scanned = await scanPorts("server", [79, 80, 81, 8080], LIMITS);
    assert.deepEqual(
      scanned.map(({ port, state }) => `${port} ${state}`),
      ["79 closed", "80 open", "81 closed", "8080 open"],
    );
    const before = now();
    const dark = await scanPorts("dark", [1, 2, 3], LIMITS);
    assert.ok(dark.every(({ state }) => state === "silent"));
    // To the microsecond that a simulated clock may round up.
    assert.equal(Math.floor(now() - before), 500);
  }));

test("scanPorts: so many at once, and no socket is left when time is up", () =>
  simulate({ seed: 4 }, async (world) => {
    world.host("dark", { silent: true });
    const ports = Array.from({ length: 50 }, (_, index) => index + 1);
    const connecting = (): number =>
      world.netstat().filter(({ host }) => host === "localhost").length;
    await assert.rejects(
      failAfter(700, async () => {
        await scanPorts("dark", ports, LIMITS);
      }),
      TimeoutError,
    );
    assert.equal(Math.floor(now()), 700);
    assert.equal(connecting(), 0);
  }));

test("scanPorts: an unknown name is an error, not fifty closed ports", () =>
  simulate({}, async () => {
    await assert.rejects(scanPorts("nowhere.test", [1, 2], LIMITS), ConnectionFailedError);
  }));

test("scanPorts: finds an open port of this machine", () =>
  run(async () => {
    using listener = await listenTcp(0, { host: "127.0.0.1" });
    const [scanned] = await scanPorts("127.0.0.1", [listener.port], LIMITS);
    assert.equal(scanned?.state, "open");
  }));

test("parsePorts: numbers and ranges; anything else is told", () => {
  assert.deepEqual(parsePorts("22, 80,8000-8002"), [22, 80, 8000, 8001, 8002]);
  for (const wrong of ["", "0", "65536", "9-8", "http", "1-"])
    assert.throws(() => parsePorts(wrong), RangeError);
});
