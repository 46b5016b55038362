/** Requests that are sent again since the connection that was kept for them has ended, and those that are not. */
import assert from "node:assert/strict";
import { sleep, taskGroup } from "arborio";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { openHttpClient } from "./http-client.ts";
import { assertNothingOpen, failedIn, rawServer } from "./raw-server.test.kit.ts";

/** Ends each connection at its second request, in some way, having answered the first. */
async function endingServer(
  group: Parameters<typeof rawServer>[0],
  end: "end" | "reset" | "part of a response",
): ReturnType<typeof rawServer> {
  return await rawServer(group, async (peer, server) => {
    for (;;) {
      const head = await peer.request();
      if (head === null) return;
      server.seen.push(head.split(" ")[0] as string);
      if (peer.requests === 1) await peer.answer(`${peer.number}`);
      else if (end === "part of a response") return await peer.send("HTTP/1.1 200");
      else if (end === "reset") return peer.reset();
      else return;
    }
  });
}

simTest(
  "an idempotent request is sent again, once, on a new connection, if the kept one ended before a byte came",
  async (group) => {
    for (const end of ["end", "reset"] as const) {
      for (const [method, body] of [
        ["GET"],
        ["PUT", "text"],
        ["DELETE"],
        ["PUT", new Uint8Array(20_000)],
      ] as const) {
        const server = await endingServer(group, end);
        await using client = openHttpClient({ base: server.url });
        await client.request("/");
        const response = await client.request("/", {
          method,
          ...(body === undefined ? {} : { body }),
        });
        assert.equal(response.text(), "2");
        assert.deepEqual(server.seen, ["GET", method, method]);
        assert.equal(client.statistics().requestsReplayed, 1);
      }
    }
  },
);

simTest(
  "a request that may have had an effect, or whose body is gone, is not sent again",
  async (group) => {
    async function* body(): AsyncGenerator<string> {
      yield "text";
    }
    for (const init of [
      { method: "POST", body: "text" },
      { method: "PATCH" },
      { method: "PUT", body: body() },
    ]) {
      const server = await endingServer(group, "reset");
      await using client = openHttpClient({ base: server.url });
      await client.request("/");
      await assert.rejects(client.request("/", init), (error) => {
        return error instanceof RequestFailedError && error.reason === "disconnected";
      });
      assert.equal(server.connections, 1);
      assert.equal(client.statistics().requestsReplayed, 0);
    }
  },
);

simTest("a request is not sent again when a part of its response has come", async (group) => {
  const server = await endingServer(group, "part of a response");
  await using client = openHttpClient({ base: server.url });
  await client.request("/");
  await assert.rejects(client.request("/"), failedIn("head", "disconnected"));
  assert.equal(server.connections, 1);
});

simTest(
  "a 408 that crosses a request on a kept connection is no answer to it (RFC 9110 §15.5.9)",
  async (group) => {
    const late = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 4\r\n\r\nlate";
    const serve = (lateAfter: number): ReturnType<typeof rawServer> =>
      rawServer(group, async (peer, { seen }) => {
        for (let head = await peer.request(); head !== null; head = await peer.request()) {
          seen.push(`${head.split(" ")[0]} ${peer.number}`);
          if (peer.requests > lateAfter) await peer.send(late);
          else await peer.answer(`${peer.number}`);
        }
      });
    const kept = await serve(1);
    await using client = openHttpClient({ base: kept.url });
    assert.equal((await client.request("/")).text(), "1");
    // Of what may be sent twice.
    for (const [number, body] of [[2], [3, "text"]] as const) {
      const init = body === undefined ? {} : { method: "PUT", body };
      assert.equal((await client.request("/", init)).text(), `${number}`);
    }
    assert.equal(client.statistics().requestsReplayed, 2);
    const posted = await client.request("/", { method: "POST", body: "text" });
    assert.deepEqual([posted.status, posted.text()], [408, "late"]);
    assertNothingOpen(client.statistics());
    assert.deepEqual(kept.seen, ["GET 1", "GET 1", "GET 2", "PUT 2", "PUT 3", "POST 3"]);
    // On a new connection it is the answer; so it is to what was sent again.
    const always = await serve(0);
    assert.equal((await client.request(always.url)).status, 408);
    assertNothingOpen(client.statistics());
    const once = await rawServer(group, async (peer) => {
      while ((await peer.request()) !== null) {
        if (peer.number > 1 || peer.requests > 1) await peer.send(late);
        else await peer.answer("1");
      }
    });
    await client.request(once.url);
    assert.equal((await client.request(once.url)).status, 408);
    assert.equal(once.connections, 2);
    assert.equal(client.statistics().requestsReplayed, 3);
  },
);

simTest(
  "a server that ends every connection without an answer is asked once on a new one, twice after a kept one",
  async (group) => {
    const server = await rawServer(group, async (peer, { seen }) => {
      while ((await peer.request()) !== null) {
        seen.push(`${peer.number}`);
        if (peer.number > 1 || peer.requests > 1) return;
        await peer.answer();
      }
    });
    await using client = openHttpClient({ base: server.url });
    await client.request("/");
    await assert.rejects(client.request("/"), failedIn("head", "disconnected"));
    assert.deepEqual(server.seen, ["1", "1", "2"]);
    await assert.rejects(client.request("/"), failedIn("head", "disconnected"));
    assert.deepEqual(server.seen, ["1", "1", "2", "3"]);
    assertNothingOpen(client.statistics());
  },
);

simTest(
  "many kept connections that all have ended: each request is replayed on a new one",
  async (group) => {
    let generation = 1;
    const server = await rawServer(group, async (peer) => {
      const mine = generation;
      while ((await peer.request()) !== null) {
        if (mine !== generation) return;
        await sleep(5);
        await peer.answer(`${mine}`);
      }
    });
    await using client = openHttpClient({ base: server.url, limits: { connectionsMax: 8 } });
    const all = async (): Promise<string[]> => {
      const texts: string[] = [];
      await taskGroup(async (inner) => {
        for (let count = 0; count < 20; count++)
          inner.startSoon(async () => texts.push((await client.request("/")).text()));
      });
      return texts;
    };
    assert.deepEqual(new Set(await all()), new Set(["1"]));
    generation = 2;
    assert.deepEqual(new Set(await all()), new Set(["2"]));
    assert.equal(client.statistics().requestsReplayed, 8);
    // One alone: the other kept ones, which have ended as well, are not tried in its stead.
    generation = 3;
    assert.equal((await client.request("/")).text(), "3");
    assert.equal(client.statistics().requestsReplayed, 9);
    assert.equal(client.statistics().connectionsOpen, 8);
  },
);
