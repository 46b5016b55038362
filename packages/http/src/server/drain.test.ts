import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelScope, gather, now, run, sleep } from "arborio";
import { ConnectionFailedError, connectTcp } from "arborio/net";
import { simulator } from "arborio/sim";
import { createHealthChecks } from "../ops/health-checks.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { Handler } from "./handler.ts";
import { openServer, serve } from "./open-server.ts";

const PORT = 8080;
const OPTIONS = { port: PORT, host: "127.0.0.1", drainMs: 5000 } as const;

/** Moments to a tenth of a second: packets take time too. */
const moment = (): number => Math.round(now() / 100) * 100;

/** Status of the answer on a new connection; "refused" if nobody listens. */
async function statusOf(path: string): Promise<string> {
  try {
    await using stream = await connectTcp("127.0.0.1", PORT);
    const request = `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;
    await stream.send(new TextEncoder().encode(request));
    let text = "";
    for await (const bytes of stream) text += new TextDecoder().decode(bytes);
    return text.split(" ")[1] ?? "";
  } catch (error) {
    if (error instanceof ConnectionFailedError) return "refused";
    throw error;
  }
}

/** Both ways in which a program may wait for its server. */
const WAYS: Readonly<Record<string, (handler: Handler) => Promise<void>>> = {
  "serve({ drainMs })": (handler) => serve(handler, OPTIONS),
  "openServer({ drainMs }), Server.ended": async (handler) => {
    await using server = await openServer(handler, OPTIONS);
    await server.ended();
  },
};

for (const [way, serveUntilEnd] of Object.entries(WAYS)) {
  test(`${way}: after a shutdown has asked it answers for so long, not ready, then takes no more and ends`, () =>
    run(
      async () => {
        const program = new CancelScope();
        const log: string[] = [];
        const look = async (): Promise<void> => {
          log.push(
            `${moment()}: ${await statusOf("/readyz")} ${await statusOf("/healthz")} ${await statusOf("/")}`,
          );
        };
        await program.run(() =>
          gather([
            async () => {
              const handler = createHealthChecks().wrap(() => new HttpResponse("hello"));
              await serveUntilEnd(handler);
              log.push(`ended at ${moment()}`);
            },
            async () => {
              await sleep(1000);
              await look();
              program.shutdown({ graceMs: 20_000 });
              await look();
              await sleep(4900);
              await look();
              await sleep(200);
              await look();
            },
          ]),
        );
        assert.equal(program.cancelledCaught, false);
        assert.equal(log[0], "1000: 200 200 200");
        assert.equal(log[1], "1000: 503 200 200");
        assert.equal(log[2], "5900: 503 200 200");
        assert.equal(log[3], "ended at 6000");
        assert.equal(log[4], "6100: refused refused refused");
      },
      { backend: simulator({ seed: 1, network: { latencyMs: [0.001, 0.001] } }) },
    ));
}

test("Server.close: does not wait for drainMs", () =>
  run(
    async () => {
      const server = await openServer(() => new HttpResponse("hello"), OPTIONS);
      assert.equal(await statusOf("/"), "200");
      const begun = now();
      await server.close();
      assert.ok(now() - begun < 1000);
    },
    { backend: simulator({ seed: 1 }) },
  ));

test("openServer, serve: a drainMs that is no time is refused before anything listens", () =>
  run(
    async () => {
      for (const drainMs of [-1, Number.NaN]) {
        await assert.rejects(
          openServer(() => new HttpResponse(), { port: PORT, drainMs }),
          RangeError,
        );
        await assert.rejects(
          serve(() => new HttpResponse(), { port: PORT, drainMs }),
          /drainMs/,
        );
      }
    },
    { backend: simulator({ seed: 1 }) },
  ));
