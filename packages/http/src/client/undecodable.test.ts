/** A body that cannot be decoded holds no connection, though nobody closes it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, sleep } from "arborio";
import { simulator } from "arborio/sim";
import { openServer } from "../server/open-server.ts";
import type { BodySink } from "../web/body-producer.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openHttpClient } from "./http-client.ts";

void test("a response that cannot be decompressed gives its connection back when that is seen", () =>
  run(
    async () => {
      const junk = new Uint8Array(200_000).fill(7);
      await using server = await openServer(
        () => new HttpResponse(junk, { headers: { "content-encoding": "gzip" } }),
        { port: 0, host: "127.0.0.1" },
      );
      await using client = openHttpClient({
        base: server.url,
        limits: { connectionsMax: 1 },
        timeouts: { poolMs: 1000 },
      });
      for (let count = 0; count < 3; count++) {
        const response = await client.fetch("/");
        const stream = response.bodyStream;
        const errors: unknown[] = [];
        for (let again = 0; again < 2; again++)
          await stream?.receive().catch((error: unknown) => errors.push(error));
        assert.match(String(errors[0]), /the body, in gzip, is damaged/);
        assert.equal(errors[1], errors[0], "it stays so");
        await sleep(10);
        assert.equal(client.statistics().connectionsActive, 0);
      }
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  ));

void test("a response with too many codings gives its connection back, though nobody got it", () =>
  run(
    async () => {
      const body = async (sink: BodySink): Promise<void> => {
        await sink.send("a");
        await sleep(1_000_000);
      };
      const headers = { "content-encoding": "gzip, gzip, gzip, gzip, gzip, gzip" };
      await using server = await openServer(() => new HttpResponse(body, { headers }), {
        port: 0,
        host: "127.0.0.1",
      });
      await using client = openHttpClient({ base: server.url });
      await assert.rejects(client.fetch("/"), /the body has 6 codings one over the other/);
      assert.equal(client.statistics().connectionsActive, 0);
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  ));
