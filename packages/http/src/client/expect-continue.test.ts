/** Asking the server before the body of a request is sent, and what it says before its answer. */
import assert from "node:assert/strict";
import { now, sleep } from "arborio";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import type { BodySink } from "../web/body-producer.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openHttpClient } from "./http-client.ts";
import { failedIn, rawServer } from "./raw-server.test.kit.ts";
import { answerOnce, within } from "./uploads.test.kit.ts";

const UPLOAD = { method: "POST", body: "hello", expectContinue: true } as const;

simTest("expectContinue: the body is sent when the server has asked for it", async (group) => {
  const server = await rawServer(group, async (peer, { seen }) => {
    seen.push(await within(peer, 500));
    await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    seen.push(await within(peer, 500));
    await peer.answer("ok");
  });
  await using client = openHttpClient({ base: server.url });
  const informed: number[] = [];
  const onInformational = (status: number): void => void informed.push(status);
  const response = await client.request("/", { ...UPLOAD, onInformational });
  assert.equal(response.text(), "ok");
  assert.deepEqual(informed, [100]);
  assert.match(server.seen[0] as string, /\r\nexpect: 100-continue\r\n(.*\r\n)?\r\n$/s);
  assert.equal(server.seen[1], "hello");
});

simTest(
  "expectContinue: a server that says nothing gets the body after continueMs",
  async (group) => {
    const server = await rawServer(group, async (peer, { seen }) => {
      seen.push(await within(peer, 700), await within(peer, 1000));
      await peer.answer("ok");
    });
    await using client = openHttpClient({ base: server.url, timeouts: { continueMs: 1000 } });
    assert.equal((await client.request("/", UPLOAD)).text(), "ok");
    assert.match(server.seen[0] as string, /\r\n\r\n$/);
    assert.equal(server.seen[1], "hello");
  },
);

for (const status of [303, 413, 417]) {
  simTest(
    `expectContinue: a final ${status} instead: the body is not sent, and the connection not used again`,
    async (group) => {
      let made = 0;
      const server = await rawServer(group, async (peer, { seen }) => {
        if (peer.number > 1) return await answerOnce(peer);
        seen.push(await within(peer, 500));
        await peer.send(`HTTP/1.1 ${status} x\r\ncontent-length: 2\r\n\r\nno`);
        seen.push(await within(peer, 3000));
      });
      await using client = openHttpClient({ base: server.url });
      const body = async (sink: BodySink): Promise<void> => {
        made += 1;
        await sink.send("hello");
      };
      const response = await client.request("/", { method: "POST", body, expectContinue: true });
      assert.equal(response.status, status);
      assert.equal(response.text(), "no");
      assert.equal((await client.request("/")).text(), "2");
      await sleep(4000);
      assert.match(server.seen[0] as string, /\r\n\r\n$/);
      assert.equal(server.seen[1] ?? "", "");
      assert.equal(made, 0);
    },
  );
}

simTest(
  "expectContinue: a final 200 instead: the server has taken it, and gets the body",
  async (group) => {
    const server = await rawServer(group, async (peer, { seen }) => {
      seen.push(await within(peer, 500));
      await peer.send("HTTP/1.1 200 x\r\ncontent-length: 2\r\n\r\nok");
      seen.push(await within(peer, 500));
    });
    await using client = openHttpClient({ base: server.url });
    assert.equal((await client.request("/", UPLOAD)).text(), "ok");
    await sleep(1000);
    assert.equal(server.seen[1], "hello");
  },
);

simTest("expectContinue: with our own server, which asks when the body is read", async () => {
  await using server = await openServer(async (request) => new HttpResponse(await request.text()), {
    port: 0,
  });
  await using client = openHttpClient({ base: server.url });
  const informed: number[] = [];
  const onInformational = (status: number): void => void informed.push(status);
  for (let count = 0; count < 2; count++)
    assert.equal((await client.request("/", { ...UPLOAD, onInformational })).text(), "hello");
  assert.deepEqual(informed, [100, 100]);
  assert.equal(client.statistics().connectionsOpened, 1);
});

simTest("onInformational: hints are told, and what it throws ends the request", async (group) => {
  const server = await rawServer(group, async (peer) => {
    while ((await peer.request()) !== null) {
      await peer.send("HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n");
      await sleep(10);
      await peer.answer("ok");
    }
  });
  await using client = openHttpClient({ base: server.url });
  const told: unknown[] = [];
  const response = await client.request("/", {
    onInformational: (status, headers) => void told.push([status, headers.get("link")]),
  });
  assert.equal(response.text(), "ok");
  assert.deepEqual(told, [[103, "</a.css>"]]);
  const thrown = new Error("enough");
  const stopped = client.request("/", {
    onInformational() {
      throw thrown;
    },
  });
  await assert.rejects(stopped, (error) => error === thrown);
  assert.equal((await client.request("/")).text(), "ok");
  assert.equal(client.statistics().connectionsOpened, 2);
});

simTest("headMs counts from when the request was sent, however long that took", async (group) => {
  const server = await rawServer(group, async (peer) => void (await within(peer, 60_000)));
  await using client = openHttpClient({ base: server.url, timeouts: { headMs: 1000 } });
  for (const expectContinue of [false, true]) {
    const before = now();
    const body = async (sink: BodySink): Promise<void> => {
      await sleep(5000);
      await sink.send("a");
    };
    const request = client.request("/", { method: "POST", body, expectContinue });
    await assert.rejects(request, failedIn("head", "timeout"));
    const ms = now() - before - (expectContinue ? 1000 : 0);
    assert.ok(ms >= 6000 && ms < 6500, `${ms}`);
  }
});
