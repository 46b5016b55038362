/** Interim responses and what else is written beside them, on a wire that takes its time. */
import assert from "node:assert/strict";
import { gather, moveOnAfter, sleep, waitAllTasksBlocked } from "arborio";
import { HttpResponse } from "../web/http-response.ts";
import { BusyWire, startServing } from "./busy-wire.test.kit.ts";
import { get, simTest } from "./raw-client.test.kit.ts";

simTest(
  "interim responses that several tasks send take turns, and the response comes behind them",
  async (group) => {
    const wire = new BusyWire();
    startServing(group, wire, async (_request, context) => {
      await gather(["a", "b", "c"].map((name) => () => context.earlyHints({ link: `</${name}>` })));
      return new HttpResponse("page", { headers: { connection: "close" } });
    });
    await waitAllTasksBlocked();
    wire.receive(get());
    do await waitAllTasksBlocked();
    while (wire.take());
    wire.finish();
    const hints = wire.writes.slice(0, 3);
    assert.deepEqual(
      hints.toSorted(),
      ["a", "b", "c"].map((name) => `HTTP/1.1 103 Early Hints\r\nlink: </${name}>\r\n\r\n`),
    );
    const response = wire.writes.slice(3).join("");
    assert.match(response, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\npage$/);
    await waitAllTasksBlocked();
    assert.equal(wire.state, "closed");
  },
);

simTest(
  "interim responses behind which the response waits already are not sent after it",
  async (group) => {
    const wire = new BusyWire();
    const outcomes: string[] = [];
    startServing(group, wire, async (_request, context) => {
      for (const name of ["a", "b"]) {
        group.startSoon(async () => {
          try {
            await context.earlyHints({ link: `</${name}>` });
            outcomes.push("sent");
          } catch (error) {
            outcomes.push((error as Error).name);
          }
        });
      }
      await sleep(10);
      return new HttpResponse("x".repeat(20_000), { headers: { connection: "close" } });
    });
    await waitAllTasksBlocked();
    wire.receive(get());
    await sleep(20);
    do await waitAllTasksBlocked();
    while (wire.take());
    wire.finish();
    const all = wire.writes.join("");
    const interims = all.match(/HTTP\/1\.1 103/g)?.length;
    assert.equal(outcomes.filter((outcome) => outcome === "sent").length, interims);
    assert.equal(outcomes.length, 2);
    assert.ok(all.indexOf("HTTP/1.1 200") > all.lastIndexOf("HTTP/1.1 103"));
    assert.ok(all.endsWith(`\r\n\r\n${"x".repeat(20_000)}`));
  },
);

simTest(
  "a client that takes nothing is given up in time, also if one of two who wait for it is cancelled",
  async (group) => {
    const wire = new BusyWire();

    startServing(
      group,
      wire,
      async (_request, context) => {
        await gather([
          () => moveOnAfter(10, () => context.earlyHints({ link: "</a>" })),
          () => moveOnAfter(3000, () => context.earlyHints({ link: "</b>" })),
          () => context.earlyHints({ link: "</c>" }),
        ]);
        return new HttpResponse("page");
      },
      { timeouts: { writeMs: 4000 } },
    );
    await waitAllTasksBlocked();
    wire.receive(get());
    await sleep(6000);
    assert.equal(wire.state, "reset");
  },
);
