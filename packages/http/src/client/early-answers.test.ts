/** Answers that come while the request is being sent; requests that break off. */
import assert from "node:assert/strict";
import {
  CancelScope,
  ClosedResourceError,
  currentScope,
  moveOnAfter,
  now,
  sleep,
  taskGroup,
} from "arborio";
import { fromIterable } from "arborio/streams";
import { simTest } from "../connection/raw-client.test.kit.ts";
import type { RequestFailedError } from "../connection/request-failed-error.ts";
import { openServer } from "../server/open-server.ts";
import type { BodySink } from "../web/body-producer.ts";
import type { HttpRequest } from "../web/http-request.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openHttpClient } from "./http-client.ts";
import type { Middleware } from "./middleware.ts";
import { failedIn, type RawPeer, rawServer } from "./raw-server.test.kit.ts";
import { answerOnce, encode, Endless, within } from "./uploads.test.kit.ts";

for (const [title, after] of [
  ["stays open", async (peer: RawPeer) => void (await within(peer, 10_000))],
  ["closes", async () => {}],
  ["resets", async (peer: RawPeer) => peer.stream.abort?.()],
] as const) {
  simTest(
    `a 413 while the body is sent, by a server that then ${title}: it is the answer, and the body is cut`,
    async (group) => {
      const endless = new Endless();
      const server = await rawServer(group, async (peer) => {
        if (peer.number > 1) return await answerOnce(peer);
        await peer.stream.receive();
        await peer.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\n\r\nlarge");
        await sleep(20);
        await after(peer);
      });
      await using client = openHttpClient({ base: server.url });
      const response = await client.request("/", { method: "POST", body: endless.body });
      assert.equal(response.status, 413);
      assert.equal(response.text(), "large");
      assert.equal(endless.running, 0, "the producer still runs");
      // At once: nobody takes the rest of a request for another one.
      assert.equal((await client.request("/")).text(), "2");
      assert.equal(client.statistics().requestsReplayed, 0);
    },
  );
}

simTest(
  "both directions at a time: an echo of a stream without end, until the response is closed",
  async () => {
    const endless = new Endless();
    await using server = await openServer(
      (request) =>
        new HttpResponse(async (sink) => {
          (request as HttpRequest).bodyBytesMax = Infinity;
          for await (const piece of (request as HttpRequest).bodyStream ?? [])
            await sink.send(piece);
        }),
      { port: 0, onError() {} },
    );
    await using client = openHttpClient({ base: server.url });
    {
      using response = await client.fetch("/", { method: "POST", body: endless.body });
      let bytes = 0;
      for await (const piece of response.bodyStream ?? []) {
        bytes += piece.length;
        if (bytes > 3_000_000) break;
      }
      assert.ok(endless.sent >= 2_900_000 && endless.sent < bytes + 1_000_000, `${endless.sent}`);
      assert.equal(endless.running, 1);
    }
    await sleep(10);
    assert.equal(endless.running, 0);
    assert.equal(client.statistics().connectionsOpen, 0);
  },
);

simTest(
  "an early 200 with a body: who reads all of it waits for the request too, a stream ends with the response",
  async () => {
    const upload = (ms: number) => async (sink: BodySink) => {
      for (let count = 0; count < 10; count++) {
        await sleep(ms / 10);
        await sink.send("a");
      }
    };
    await taskGroup(async (group) => {
      const early = await rawServer(group, async (peer) => {
        for (let seen = ""; ;) {
          seen += new TextDecoder().decode(await peer.stream.receive());
          const head = /POST.*?\r\n\r\n/s.exec(seen);
          if (head === null) continue;
          seen = seen.slice(head.index + head[0].length);
          await peer.answer("early");
        }
      });
      await using client = openHttpClient({ base: early.url });
      const start = now();
      assert.equal(
        (await client.request("/", { method: "POST", body: upload(1000) })).text(),
        "early",
      );
      assert.ok(now() - start >= 1000, `${now() - start}`);
      assert.equal(client.statistics().connectionsIdle, 1);
      const response = await client.fetch("/", { method: "POST", body: upload(1000) });
      const middle = now();
      let text = "";
      for await (const piece of response.bodyStream ?? []) text += new TextDecoder().decode(piece);
      assert.equal(text, "early");
      assert.ok(now() - middle < 100);
      assert.equal(client.statistics().connectionsActive, 1);
      await response.sent();
      assert.ok(now() - middle >= 900, `${now() - middle}`);
      await sleep(0);
      assert.equal(client.statistics().connectionsIdle, 1);
      assert.equal(client.statistics().connectionsOpened, 1);
      const closed = await client.fetch("/", { method: "POST", body: upload(1000) });
      closed.close();
      assert.equal(client.statistics().connectionsOpen, 0);
    });
  },
);

simTest(
  "an early 204: the request is sent to its end before it is given, unless the server will close",
  async (group) => {
    for (const closes of [false, true]) {
      const endless = new Endless();
      const server = await rawServer(group, async (peer) => {
        await peer.stream.receive();
        await peer.send(`HTTP/1.1 204 x\r\n${closes ? "connection: close\r\n" : ""}\r\n`);
        await within(peer, 5000);
      });
      await using client = openHttpClient({ base: server.url });
      const start = now();
      const body = closes
        ? endless.body
        : async (sink: BodySink) => {
            await sink.send("a");
            await sleep(500);
            await sink.send("b");
          };
      const { status } = await client.request("/", { method: "POST", body });
      assert.equal(status, 204);
      assert.equal(now() - start >= 500, !closes, `${now() - start}`);
      assert.equal(endless.running, 0);
    }
  },
);

simTest(
  "a producer that throws behind an early 204 ends the exchange all the same",
  async (group) => {
    const server = await rawServer(group, async (peer) => {
      await peer.stream.receive();
      await peer.send("HTTP/1.1 204 x\r\n\r\n");
      await within(peer, 5000);
    });
    await using client = openHttpClient({ base: server.url });
    const why = new Error("no more");
    const body = async (sink: BodySink): Promise<void> => {
      await sink.send("a");
      await sleep(500);
      throw why;
    };
    await assert.rejects(client.request("/", { method: "POST", body }), (error) => {
      return failedIn("send", "request-body")(error) && (error as Error).cause === why;
    });
    assert.equal(client.statistics().connectionsOpen, 0);
  },
);

simTest(
  "a producer that throws: its error is the cause, and the server sees a body that is cut",
  async () => {
    const seen: string[] = [];
    await using server = await openServer(
      async (request) => {
        try {
          await request.text();
        } catch (error) {
          seen.push((error as Error).name);
          throw error;
        }
        return new HttpResponse("ok");
      },
      { port: 0, onError() {} },
    );
    await using client = openHttpClient({ base: server.url });
    const thrown = new Error("no more");
    for (const isKnown of [true, false]) {
      const headers: Record<string, string> = isKnown ? { "content-length": "10" } : {};
      const request = client.request("/", {
        method: "POST",
        headers,
        body: async (sink) => {
          await sink.send("hello");
          await sleep(10);
          throw thrown;
        },
      });
      await assert.rejects(request, (error) => {
        failedIn("send", "request-body")(error);
        assert.ok((error as RequestFailedError).isLocal);
        return (error as Error).cause === thrown;
      });
    }
    await sleep(10);
    assert.deepEqual(seen, ["Cancelled", "Cancelled"]);
    assert.equal(client.statistics().connectionsOpen, 0);
  },
);

simTest(
  "a producer that throws while the response is read: what came is given, and then the error",
  async (group) => {
    const server = await rawServer(group, async (peer) => {
      await peer.stream.receive();
      await peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
      await within(peer, 5000);
    });
    await using client = openHttpClient({ base: server.url });
    const thrown = new Error("no more");
    const fetching = client.fetch("/", {
      method: "POST",
      body: async (sink) => {
        await sink.send("hello");
        await sleep(100);
        throw thrown;
      },
    });
    const response = await fetching;
    const { bodyStream } = response;
    assert.equal((await bodyStream?.receive())?.length, 5);
    await assert.rejects(
      async () => bodyStream?.receive(),
      (error) => {
        failedIn("send", "request-body")(error);
        return (error as Error).cause === thrown;
      },
    );
    await assert.rejects(response.sent(), failedIn("send", "request-body"));
    assert.equal(client.statistics().connectionsOpen, 0);
  },
);

simTest(
  "a request that is cancelled: its producer is, and has cleaned up when the cancellation passes on",
  async (group) => {
    const server = await rawServer(group, async (peer) => void (await within(peer, 100_000)));
    await using client = openHttpClient({ base: server.url });
    let isClean = false;
    await moveOnAfter(100, () =>
      client.request("/", {
        method: "POST",
        body: async (sink) => {
          try {
            for (;;) await sink.send(new Uint8Array(10_000));
          } finally {
            currentScope();
            isClean = true;
          }
        },
      }),
    );
    assert.ok(isClean);
    assert.equal(client.statistics().connectionsOpen, 0);
  },
);

simTest("a stream that is a body is closed, whatever becomes of the request", async (group) => {
  const server = await rawServer(group, async (peer) => {
    await peer.request();
    if (peer.number === 1) await peer.answer();
  });
  await using client = openHttpClient({ base: server.url });
  for (const fails of [false, true]) {
    const body = fromIterable([encode("hello")]);
    const request = client.request("/", {
      method: "POST",
      body,
      headers: { "content-length": "5" },
    });
    if (fails) await assert.rejects(request);
    else await request;
    await assert.rejects(body.receive(), /closed/);
  }
});

simTest(
  "a stream that is a body is closed, also if there is no connection to send it on",
  async () => {
    await using client = openHttpClient({ base: "http://127.0.0.1:1/" });
    const body = fromIterable([encode("hello")]);
    await assert.rejects(
      client.request("/", { method: "POST", body }),
      failedIn("connect", "unreachable"),
    );
    await assert.rejects(body.receive(), /closed/);
    const cancelled = fromIterable([encode("hello")]);
    const scope = new CancelScope();
    scope.cancel();
    await scope.run(() => client.request("/", { method: "POST", body: cancelled }));
    await assert.rejects(cancelled.receive(), /closed/);
  },
);

simTest(
  "a stream that is a body is closed, also if middleware answers or sends another",
  async (group) => {
    const server = await rawServer(group, async (peer) => {
      await peer.request();
      await peer.answer();
    });
    const answering: Middleware[] = [
      async (request) => request.respond(new HttpResponse("here")),
      (request, next) => next(request.with({ body: "other" })),
    ];
    for (const one of answering) {
      await using client = openHttpClient({ base: server.url, middleware: [one] });
      const body = fromIterable([encode("hello")]);
      await client.request("/", { method: "POST", body });
      await assert.rejects(body.receive(), /closed/);
    }
  },
);

simTest("a stream that fails to close fails its own request", async (group) => {
  const server = await rawServer(group, async (peer) => {
    while ((await peer.request()) !== null) await peer.answer("ok");
  });
  await using client = openHttpClient({ base: server.url });
  const thrown = new Error("cannot close");
  const good = fromIterable([encode("hello")]);
  const body = Object.assign(Object.create(good) as typeof good, {
    receive: () => good.receive(),
    [Symbol.asyncIterator]: () => good[Symbol.asyncIterator](),
    close: () => {
      throw thrown;
    },
  });
  await assert.rejects(client.request("/", { method: "POST", body }), (error) => {
    failedIn("send", "request-body")(error);
    return (error as Error).cause === thrown;
  });
  assert.equal((await client.request("/")).text(), "ok");
});

simTest(
  "what a producer sends when it has ended is refused, and reaches no other request",
  async (group) => {
    const server = await rawServer(group, async (peer, { seen }) => {
      for (let head = await peer.request(); head !== null; head = await peer.request()) {
        seen.push(head);
        await peer.answer("ok");
      }
    });
    await using client = openHttpClient({ base: server.url });
    const kept: BodySink[] = [];
    const body = async (sink: BodySink): Promise<void> => {
      kept.push(sink);
      await sink.send("hello");
    };
    for (let count = 0; count < 2; count++) {
      await client.request("/", { method: "POST", body });
      await assert.rejects(async () => kept[count]?.send("more"), ClosedResourceError);
    }
    assert.equal(server.seen.length, 2);
    assert.equal(client.statistics().connectionsOpened, 1);
  },
);
