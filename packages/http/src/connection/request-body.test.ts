/** Bodies of requests: asked for when they are wanted, bounded, in time, whole or refused; and the request behind them. */
import assert from "node:assert/strict";
import { BrokenResourceError, Cancelled, now, sleep } from "arborio";
import { testClient } from "../testing/test-client.ts";
import { BodyTooLargeError } from "../web/http-error.ts";
import type { HttpRequest } from "../web/http-request.ts";
import { HttpResponse } from "../web/http-response.ts";
import { fieldsOf, get, lines, post, RawClient, simTest } from "./raw-client.test.kit.ts";

const echo = async (request: Request): Promise<Response> => new HttpResponse(await request.text());
const hello = (): Response => new HttpResponse("hello");

const CHUNKED = lines("POST / HTTP/1.1", "host: a", "transfer-encoding: chunked", "");

simTest("100-continue: sent when the handler reads the body, and then once", async () => {
  await using client = testClient(async (request) => {
    await sleep(50);
    return await echo(request);
  });
  const raw = new RawClient(client.connect());
  await raw.send(
    lines("POST / HTTP/1.1", "host: a", "content-length: 4", "expect: 100-continue", ""),
  );
  const before = now();
  assert.equal((await raw.head()).status, 100);
  assert.ok(now() - before >= 50);
  await raw.send("te");
  await sleep(10);
  await raw.send("xt");
  assert.equal((await raw.response()).body, "text");
  await raw.send(get());
  assert.equal((await raw.response()).head.status, 200);
});

simTest(
  "100-continue: not sent to a client whose body is not wanted; the connection ends, since nobody knows what it sends",
  async () => {
    await using client = testClient(() => new HttpResponse("no", { status: 403 }));
    const raw = new RawClient(client.connect());
    await raw.send(
      lines("POST / HTTP/1.1", "host: a", "content-length: 4", "expect: 100-continue", ""),
    );
    const { head } = await raw.response();
    assert.equal(head.status, 403);
    assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
    await raw.stream.sendEof();
    assert.equal(await raw.end(), "end");
  },
);

simTest("100-continue: not sent to a client that has begun to send, nor to HTTP/1.0", async () => {
  await using client = testClient(echo);
  for (const version of ["1.1", "1.0"]) {
    using stream = client.connect();
    const raw = new RawClient(stream);
    await raw.send(
      `${lines(`POST / HTTP/${version}`, "host: a", "content-length: 4", "expect: 100-continue", "")}te`,
    );
    await sleep(10);
    await raw.send("xt");
    const { head, body } = await raw.response();
    assert.equal(head.status, 200);
    assert.equal(body, "text");
  }
});

simTest(
  "an unread body: the next request is read behind it, whether it had come or comes later",
  async () => {
    await using client = testClient(hello);
    const raw = new RawClient(client.connect());
    await raw.send(post("x".repeat(60_000)) + get());
    assert.equal((await raw.response()).body, "hello");
    assert.equal((await raw.response()).body, "hello");
    await raw.send(`${CHUNKED}3\r\nabc\r\n`);
    assert.equal((await raw.response()).body, "hello");
    await sleep(10);
    await raw.send(`0\r\nx-t: 1\r\n\r\n${get()}`);
    assert.equal((await raw.response()).body, "hello");
  },
);

simTest(
  "an unread body that is too much ends the connection, and the response says so where that is known",
  async () => {
    await using client = testClient(hello, { limits: { drainBytesMax: 1000 } });
    {
      using stream = client.connect();
      const raw = new RawClient(stream);
      await raw.send(lines("POST / HTTP/1.1", "host: a", "content-length: 1001", ""));
      assert.deepEqual(fieldsOf((await raw.response()).head, "connection"), ["close"]);
      await stream.sendEof();
      assert.equal(await raw.end(), "end");
    }
    const raw = new RawClient(client.connect());
    await raw.send(`${CHUNKED}400\r\n${"x".repeat(1024)}\r\n`);
    assert.equal((await raw.response()).body, "hello");
    await raw.send(`400\r\n${"x".repeat(1024)}\r\n`);
    await raw.stream.sendEof();
    assert.equal(await raw.end(), "end");
  },
);

simTest("an unread body that comes too slowly ends the connection", async () => {
  await using client = testClient(hello);
  const raw = new RawClient(client.connect());
  await raw.send(CHUNKED);
  assert.equal((await raw.response()).body, "hello");
  const before = now();
  await assert.rejects(async () => {
    for (;;) {
      await raw.send("1\r\nx\r\n");
      await sleep(500);
    }
  }, BrokenResourceError);
  assert.ok(now() - before < 13_000, `${now() - before} ms`);
});

simTest(
  "a body over bodyBytesMax is 413, by its announced length before anything is read, else when it is passed",
  async () => {
    let [read, errors] = [0, 0];
    await using client = testClient(
      async (request) => {
        const { bodyStream } = request as HttpRequest;
        try {
          for await (const bytes of bodyStream ?? []) read += bytes.length;
        } catch (error) {
          errors += 1;
          assert.ok(error instanceof BodyTooLargeError);
          throw error;
        }
        return hello();
      },
      { limits: { bodyBytesMax: 10 } },
    );
    const raw = new RawClient(client.connect());
    await raw.send(post("x".repeat(11)));
    const { head, body } = await raw.response();
    assert.equal(head.status, 413);
    assert.match(body, /10 bytes/);
    assert.equal(read, 0);
    assert.deepEqual(fieldsOf(head, "connection"), [], "so little is read and dropped");
    await raw.send(post("x".repeat(10)));
    assert.equal((await raw.response()).head.status, 200);
    await raw.send(`${CHUNKED}a\r\n${"x".repeat(10)}\r\n1\r\nx\r\n`);
    const chunked = await raw.response();
    assert.equal(chunked.head.status, 413);
    assert.deepEqual(fieldsOf(chunked.head, "connection"), ["close"]);
    assert.equal(errors, 2);
  },
);

simTest("a handler may take a larger body than others", async () => {
  await using client = testClient(
    (request) => {
      (request as HttpRequest).bodyBytesMax = 100;
      return echo(request);
    },
    { limits: { bodyBytesMax: 10 } },
  );
  const response = await client.fetch("/", { method: "POST", body: "x".repeat(100) });
  assert.equal((await response.text()).length, 100);
  assert.equal((await client.fetch("/", { method: "POST", body: "x".repeat(101) })).status, 413);
});

simTest(
  "a body that breaks the protocol is 400, and the connection ends, also if the handler does not mind",
  async () => {
    await using client = testClient(async (request) => {
      try {
        return await echo(request);
      } catch (error) {
        if (request.url.endsWith("/mind")) throw error;
        return new HttpResponse("never mind");
      }
    });
    for (const [path, status] of [
      ["/mind", 400],
      ["/", 200],
    ] as const) {
      using stream = client.connect();
      const raw = new RawClient(stream);
      await raw.send(
        `${lines(`POST ${path} HTTP/1.1`, "host: a", "transfer-encoding: chunked", "")}zz\r\n${get()}`,
      );
      const { head } = await raw.response();
      assert.equal(head.status, status);
      assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
      await stream.sendEof();
      assert.equal(await raw.end(), "end");
    }
  },
);

simTest("trailers of a request are there when its body has ended", async () => {
  await using client = testClient(async (request) => {
    const ours = request as HttpRequest;
    const before = [...ours.trailers];
    await request.text();
    return HttpResponse.json([before, ours.trailers]);
  });
  const raw = new RawClient(client.connect());
  await raw.send(`${CHUNKED}1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n`);
  assert.equal((await raw.response()).body, '[[],["X-Sum","7"]]');
});

simTest(
  "a body that stops coming is 408 after bodyMs, and so is one that comes by drops",
  async () => {
    await using client = testClient(echo, { timeouts: { bodyMs: 1000 } });
    for (const drop of ["", "x"]) {
      using stream = client.connect();
      const raw = new RawClient(stream);
      await raw.send(lines("POST / HTTP/1.1", "host: a", "content-length: 100000", ""));
      const before = now();
      let answered = false;
      await Promise.all([
        raw.response().then(({ head }) => {
          answered = true;
          assert.equal(head.status, 408);
          assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
        }),
        (async () => {
          while (!answered) {
            await raw.send(drop);
            await sleep(50);
          }
        })(),
      ]);
      const took = now() - before;
      assert.ok(took >= 1000 && took <= 1500, `${took} ms`);
    }
  },
);

simTest(
  "a body that makes progress has all the time it needs, and so has a handler that reads slowly",
  async () => {
    await using client = testClient(
      async (request) => {
        let read = 0;
        for await (const bytes of (request as HttpRequest).bodyStream ?? []) {
          read += bytes.length;
          await sleep(5000);
        }
        return new HttpResponse(`${read}`);
      },
      { timeouts: { bodyMs: 1000 } },
    );
    const raw = new RawClient(client.connect());
    await raw.send(lines("POST / HTTP/1.1", "host: a", "content-length: 20480", ""));
    for (let count = 0; count < 10; count++) {
      await raw.send("x".repeat(2048));
      await sleep(800);
    }
    assert.equal((await raw.response()).body, "20480");
  },
);

simTest(
  "a client that leaves within its body: the handler is cancelled, or learns it from the body",
  async () => {
    for (const halfClose of [false, true]) {
      const seen: unknown[] = [];
      const reported: unknown[] = [];
      await using client = testClient(
        async (request) => {
          try {
            return await echo(request);
          } catch (error) {
            seen.push(error);
            throw error;
          }
        },
        { halfClose, onError: (error) => void reported.push(error) },
      );
      const raw = new RawClient(client.connect());
      await raw.send(`${lines("POST / HTTP/1.1", "host: a", "content-length: 10", "")}some`);
      await sleep(10);
      if (halfClose) {
        await raw.stream.sendEof();
        assert.equal((await raw.response()).head.status, 400);
      } else {
        raw.stream.close();
        await sleep(10);
        assert.ok(seen[0] instanceof Cancelled, String(seen[0]));
      }
      assert.equal(seen.length, 1);
      assert.deepEqual(reported, []);
    }
  },
);

simTest("nothing is read ahead of a handler but a bounded part of the body", async () => {
  await using client = testClient(async (request) => {
    await sleep(60_000);
    return await echo(request);
  });
  const raw = new RawClient(client.connect());
  await raw.send(lines("POST / HTTP/1.1", "host: a", "content-length: 1000000", ""));
  let sent = 0;
  const sending = (async () => {
    for (; sent < 1_000_000; sent += 10_000) await raw.send("x".repeat(10_000));
  })();
  await sleep(1000);
  // What the server reads ahead, and what the pair of streams holds.
  assert.ok(sent < 300_000, `${sent} bytes`);
  assert.equal((await raw.response()).body.length, 1_000_000);
  await sending;
});
