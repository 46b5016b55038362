import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { now, sleep, taskGroup } from "arborio";
import { simulate } from "arborio/sim";
import { failedIn } from "./raw-server.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { ClientTrace, ExchangeEnd } from "./client-trace.ts";
import { openHttpClient } from "./http-client.ts";

void test("trace: who watches look-ups does not change them: a resolver that is silent about IPv6 is not waited for", async () => {
  await simulate({ seed: 1 }, async (world) => {
    world.names.set("a.test", ["10.0.0.1", "fd00::1"], {
      ipv4: { delayMs: 10 },
      ipv6: { delayMs: Infinity },
    });
    const start = now();
    const found: unknown[] = [];
    const lookupEnd = (_host: string, addresses: readonly string[] | null): void => {
      found.push(addresses, Math.round(now() - start));
    };
    await using client = openHttpClient({ trace: { lookupEnd }, timeouts: { connectMs: 5000 } });
    await assert.rejects(client.request("http://a.test/"), failedIn("connect", "unreachable"));
    assert.deepEqual(found, [["10.0.0.1"], 60]);
  });
});

void test("trace: a response that is forgotten has its end, when the task ends that fetched it", async () => {
  const warn = mock.method(console, "warn", () => {});
  try {
    await simulate({ seed: 1 }, async () => {
      const endless = async (sink: { send(piece: string): Promise<void> }): Promise<void> => {
        for (;;) {
          await sink.send("piece");
          await sleep(10);
        }
      };
      await using server = await openServer(() => new HttpResponse(endless), { port: 0 });
      const ends: string[] = [];
      const requestEnd = (_: unknown, { outcome }: ExchangeEnd): void => void ends.push(outcome);
      await using client = openHttpClient({ base: server.url, trace: { requestEnd } });
      await taskGroup(async (group) => {
        const forgetting = group.startSoon(async () => {
          await client.fetch("/");
          await sleep(100);
          assert.deepEqual(ends, []);
        });
        await forgetting.wait();
        assert.deepEqual(ends, ["left"]);
      });
    });
    assert.equal(warn.mock.calls.length, 1);
  } finally {
    warn.mock.restore();
  }
});

void test("trace: who asks for a request's own progress is told beside the hook", async () => {
  await simulate({ seed: 1 }, async () => {
    await using server = await openServer(() => new HttpResponse(""), { port: 0 });
    const told: [who: string, bytes: number, total: number | undefined][] = [];
    const trace: ClientTrace = {
      uploadProgress: (_, bytes, total) => void told.push(["hook", bytes, total]),
    };
    await using client = openHttpClient({ base: server.url, trace });
    const onUploadProgress = (bytes: number, total: number | undefined): void =>
      void told.push(["request", bytes, total]);
    await client.request("/", { method: "POST", body: new Uint8Array(5), onUploadProgress });
    assert.deepEqual(told, [
      ["hook", 5, 5],
      ["request", 5, 5],
    ]);
  });
});
