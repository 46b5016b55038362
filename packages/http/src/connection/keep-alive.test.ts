/** One request after the other on one connection: in order, each answered whole, and the end of the connection told. */
import assert from "node:assert/strict";
import { Event, now, sleep } from "arborio";
import { testClient } from "../testing/test-client.ts";
import { HttpResponse } from "../web/http-response.ts";
import { fieldsOf, get, lines, post, RawClient, simTest } from "./raw-client.test.kit.ts";

const hello = (): Response => new HttpResponse("hello");

simTest(
  "ServerConnection: HTTP/1.1 goes on unless somebody says close, HTTP/1.0 ends unless the client says keep-alive",
  async () => {
    await using client = testClient((request) =>
      request.url.endsWith("/close")
        ? new HttpResponse("bye", { headers: { connection: "close" } })
        : hello(),
    );
    const cases: readonly [string, string | undefined][] = [
      [get("/"), undefined],
      [get("/", "connection: close"), "close"],
      [get("/", "Connection: foo, CLOSE"), "close"],
      [get("/close"), "close"],
      [lines("GET / HTTP/1.0", ""), "close"],
      [lines("GET / HTTP/1.0", "connection: Keep-Alive", ""), "keep-alive"],
    ];
    for (const [request, connection] of cases) {
      using stream = client.connect();
      const raw = new RawClient(stream);
      await raw.send(request);
      const { head, body } = await raw.response();
      assert.deepEqual(fieldsOf(head, "connection"), connection === undefined ? [] : [connection]);
      assert.ok(body === "hello" || body === "bye");
      if (connection === "close") {
        assert.equal(await raw.end(), "end");
      } else {
        await raw.send(request);
        assert.equal((await raw.response()).body, "hello");
      }
    }
  },
);

simTest(
  "ServerConnection: pipelined requests are handled one after the other and answered in their order",
  async () => {
    let handling = 0;
    const order: string[] = [];
    await using client = testClient(async (request) => {
      handling += 1;
      assert.equal(handling, 1);
      const path = new URL(request.url).pathname;
      order.push(path);
      // The later, the quicker.
      await sleep(10 - order.length);
      handling -= 1;
      return new HttpResponse(path);
    });
    const raw = new RawClient(client.connect());
    const paths = ["/0", "/1", "/2", "/3", "/4", "/5"];
    await raw.send(paths.map((path) => get(path)).join(""));
    for (const path of paths) assert.equal((await raw.response()).body, path);
    assert.deepEqual(order, paths);
  },
);

simTest(
  "ServerConnection: an answer does not wait for the handler of the request behind it",
  async () => {
    const never = new Event();
    await using client = testClient(async (request) => {
      if (request.url.endsWith("/slow")) await never.wait();
      return hello();
    });
    const raw = new RawClient(client.connect());
    const before = now();
    await raw.send(get("/") + get("/slow"));
    assert.equal((await raw.response()).body, "hello");
    assert.ok(now() - before < 100, `${now() - before} ms`);
  },
);

simTest(
  "ServerConnection: the head of a body that takes its time does not wait for it",
  async () => {
    const never = new Event();
    await using client = testClient(() => new HttpResponse(() => never.wait()));
    const raw = new RawClient(client.connect());
    await raw.send(get());
    assert.equal((await raw.head()).status, 200);
  },
);

simTest(
  "ServerConnection: a good request is answered before a bad one behind it ends the connection",
  async () => {
    await using client = testClient(hello);
    const raw = new RawClient(client.connect());
    await raw.send(`${get()}GET / HTTP/1.1\r\nhost : a\r\n\r\n${get()}`);
    assert.equal((await raw.response()).body, "hello");
    const { head, body } = await raw.response();
    assert.equal(head.status, 400);
    assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
    assert.match(body, /space/);
    await raw.stream.sendEof();
    assert.equal(await raw.end(), "end");
  },
);

simTest(
  "ServerConnection: what cannot be a request is refused at once with its status",
  async () => {
    await using client = testClient(hello);
    const cases: readonly [string, number][] = [
      ["\x16\x03\x01\x02\x00", 400],
      ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
      [lines("GET / HTTP/1.1", ""), 400],
      [`GET /${"a".repeat(9000)} HTTP/1.1\r\n`, 414],
      [get("/", `x: ${"a".repeat(9000)}`), 431],
      [get("/", ...Array<string>(200).fill("x: y")), 431],
      [get("/", "transfer-encoding: gzip, chunked"), 501],
      [lines("POST / HTTP/1.1", "host: a", "content-length: 1", "expect: tea", "", ""), 417],
    ];
    for (const [bytes, status] of cases) {
      using stream = client.connect();
      const raw = new RawClient(stream);
      await raw.send(bytes);
      const response = await raw.response();
      assert.equal(response.head.status, status, response.body);
      assert.deepEqual(fieldsOf(response.head, "connection"), ["close"]);
    }
    assert.equal(client.statistics().requestsHandled, 0);
  },
);

simTest(
  "ServerConnection: HEAD, 204, 205 and 304 have no body, and the next response is where it should be",
  async () => {
    await using client = testClient((request) => {
      const status = Number(new URL(request.url).pathname.slice(1));
      const hasNone = status === 204 || status === 205 || status === 304;
      return new HttpResponse(hasNone ? null : "hello", { status });
    });
    const raw = new RawClient(client.connect());
    const cases: readonly [string, number, readonly string[], string][] = [
      ["HEAD", 200, ["5"], ""],
      ["GET", 204, [], ""],
      ["GET", 205, ["0"], ""],
      ["GET", 304, [], ""],
      ["HEAD", 404, ["5"], ""],
      ["GET", 200, ["5"], "hello"],
    ];
    for (const [method, status, length, expected] of cases) {
      await raw.send(lines(`${method} /${status} HTTP/1.1`, "host: a", ""));
      const { head, body } = await raw.response(method);
      assert.equal(head.status, status);
      assert.deepEqual(fieldsOf(head, "content-length"), length, `${method} ${status}`);
      assert.deepEqual(fieldsOf(head, "transfer-encoding"), []);
      assert.equal(body, expected);
      assert.equal(fieldsOf(head, "date").length, 1);
    }
  },
);

simTest(
  "ServerConnection: HEAD and 304 may tell the length of what they stand for, and call no producer",
  async () => {
    let called = 0;
    let closed = 0;
    const producer = async (): Promise<void> => void (called += 1);
    async function* pieces(): AsyncGenerator<string> {
      try {
        called += 1;
        yield "x";
      } finally {
        closed += 1;
      }
    }
    await using client = testClient((request) => {
      const path = new URL(request.url).pathname;
      if (path === "/null") return new HttpResponse(null, { headers: { "content-length": "7" } });
      if (path === "/304") {
        return new HttpResponse(null, { status: 304, headers: { "content-length": "7" } });
      }
      return new HttpResponse(path === "/producer" ? producer : pieces());
    });
    const raw = new RawClient(client.connect());
    for (const path of ["/null", "/304", "/producer", "/pieces"]) {
      await raw.send(lines(`HEAD ${path} HTTP/1.1`, "host: a", ""));
      const { head, body } = await raw.response("HEAD");
      const isKnown = path === "/null" || path === "/304";
      assert.deepEqual(fieldsOf(head, "content-length"), isKnown ? ["7"] : []);
      assert.equal(body, "");
    }
    assert.deepEqual([called, closed], [0, 0]);
  },
);

simTest(
  "ServerConnection: after requestsMax requests it ends the connection, and what came behind them is not handled",
  async () => {
    await using client = testClient(hello, { limits: { requestsMax: 2 } });
    const raw = new RawClient(client.connect());
    await raw.send(get() + get() + get());
    assert.deepEqual(fieldsOf((await raw.response()).head, "connection"), []);
    assert.deepEqual(fieldsOf((await raw.response()).head, "connection"), ["close"]);
    await raw.stream.sendEof();
    assert.equal(await raw.end(), "end");
    assert.equal(client.statistics().requestsHandled, 2);
  },
);

simTest(
  "ServerConnection: the end of a connection with bytes unread is no reset: the client gets its response",
  async () => {
    await using client = testClient(hello, { limits: { drainBytesMax: 10 } });
    const raw = new RawClient(client.connect());
    await raw.send(post("x".repeat(50_000)));
    const { head, body } = await raw.response();
    assert.equal(body, "hello");
    assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
    // The server has sent its end, and goes on reading until the client has.
    await raw.send("x".repeat(50_000));
    await raw.stream.sendEof();
    assert.equal(await raw.end(), "end");
  },
);

simTest(
  "ServerConnection: a client that sends for ever after its last response is cut off",
  async () => {
    await using client = testClient(hello);
    const raw = new RawClient(client.connect());
    await raw.send("NONSENSE\r\n\r\n");
    const before = now();
    await assert.rejects(async () => {
      for (;;) {
        await raw.send("x".repeat(10));
        await sleep(100);
      }
    });
    assert.ok(now() - before < 7000, `${now() - before} ms`);
  },
);

simTest(
  "ServerConnection: a client that has ended its sending half counts as gone, unless halfClose",
  async () => {
    for (const halfClose of [false, true]) {
      let handled = 0;
      await using client = testClient(
        async () => {
          handled += 1;
          await sleep(10);
          return hello();
        },
        { halfClose },
      );
      const raw = new RawClient(client.connect());
      await raw.send(get() + get());
      await raw.stream.sendEof();
      const [text, end] = await raw.rest();
      assert.equal(text.split("hello").length - 1, halfClose ? 2 : 0);
      assert.equal(handled, halfClose ? 2 : handled);
      assert.ok(halfClose ? end === "end" : handled <= 1);
    }
  },
);

simTest("ServerConnection: with halfClose, a request that is cut is told so", async () => {
  await using client = testClient(hello, { halfClose: true });
  const raw = new RawClient(client.connect());
  await raw.send("GET / HTTP/1.1\r\nhost: a");
  await raw.stream.sendEof();
  assert.equal((await raw.response()).head.status, 400);
  assert.equal(await raw.end(), "end");
});
