/** What handlers give: sent as the head promises, or not at all; streams are closed however it ends. */
import assert from "node:assert/strict";
import { BusyResourceError, Cancelled, now, sleep, taskGroup } from "arborio";
import { createMemoryPipe } from "arborio/streams";
import { testClient, type TestClientOptions } from "../testing/test-client.ts";
import { HttpError } from "../web/http-error.ts";
import { HttpResponse } from "../web/http-response.ts";
import { bytesOf, fieldsOf, get, lines, RawClient, simTest } from "./raw-client.test.kit.ts";

/** Errors that were reported, and the options that do it. */
function reporting(): [unknown[], TestClientOptions] {
  const reported: unknown[] = [];
  return [reported, { onError: (error) => void reported.push(error) }];
}

simTest(
  "a body of unknown length is chunked for HTTP/1.1, and ends with the connection for HTTP/1.0",
  async () => {
    await using client = testClient(
      () =>
        new HttpResponse(async (sink) => {
          await sink.send("one");
          await sink.send("");
          await sleep(10);
          await sink.send(new Uint8Array(20_000).fill(120));
        }),
    );
    const raw = new RawClient(client.connect());
    await raw.send(get());
    const modern = await raw.response();
    assert.deepEqual(fieldsOf(modern.head, "transfer-encoding"), ["chunked"]);
    assert.equal(modern.body, `one${"x".repeat(20_000)}`);
    await raw.send(lines("GET / HTTP/1.0", "connection: keep-alive", ""));
    const old = await raw.response();
    assert.deepEqual(fieldsOf(old.head, "transfer-encoding"), []);
    assert.deepEqual(fieldsOf(old.head, "connection"), ["close"]);
    assert.equal(old.body, modern.body);
  },
);

simTest("a body of known length is sent with it, large ones and strings too", async () => {
  const large = "é".repeat(200_000);
  await using client = testClient((request) => {
    if (request.url.endsWith("/text")) return new HttpResponse(large);
    if (request.url.endsWith("/blob")) return new HttpResponse(new Blob([large]));
    return new HttpResponse(new TextEncoder().encode(large));
  });
  for (const path of ["/text", "/blob", "/bytes"]) {
    const response = await client.fetch(path);
    assert.equal(response.headers.get("content-length"), "400000");
    assert.equal(await response.text(), large);
  }
});

simTest(
  "content-length that is not that of a body that is there is the handler's error: 500, and nothing wrong is sent",
  async () => {
    const [reported, options] = reporting();
    await using client = testClient(
      (request) =>
        new HttpResponse("hello", {
          headers: { "content-length": new URL(request.url).search.slice(1) },
        }),
      options,
    );
    for (const length of ["4", "6", "-1", "5,5"]) {
      const response = await client.fetch(`/?${length}`);
      assert.equal(response.status, 500);
      await response.text();
    }
    assert.equal((await client.fetch("/?5")).status, 200);
    assert.equal(reported.length, 4);
    assert.match(String(reported[0]), /content-length 4, but its body has 5 bytes/);
  },
);

simTest(
  "a stream that is shorter or longer than it announced breaks the connection, and is reported",
  async () => {
    const [reported, options] = reporting();
    await using client = testClient((request) => {
      const size = request.url.endsWith("/short") ? 4 : 6;
      return new HttpResponse(
        async (sink) => {
          for (let count = 0; count < size; count++) await sink.send("x");
        },
        { headers: { "content-length": "5" } },
      );
    }, options);
    for (const path of ["/short", "/long"]) {
      const raw = new RawClient(client.connect());
      await raw.send(get(path) + get());
      const [text, end] = await raw.rest();
      assert.equal(end, "reset");
      assert.match(text, path === "/short" ? /\r\n\r\nxxxx$/ : /\r\n\r\nxxxxx$/);
    }
    assert.match(String(reported[0]), /4 bytes were sent of the 5/);
    assert.match(String(reported[1]), /6 bytes, more than the 5/);
  },
);

simTest(
  "a body that fails breaks the connection: no last chunk, no clean end, also for HTTP/1.0",
  async () => {
    const [reported, options] = reporting();
    const failure = new Error("no more");
    await using client = testClient(
      () =>
        new HttpResponse(async (sink) => {
          await sink.send("some");
          throw failure;
        }),
      options,
    );
    for (const version of ["1.0", "1.1"]) {
      const raw = new RawClient(client.connect());
      await raw.send(lines(`GET / HTTP/${version}`, "host: a", ""));
      const [text, end] = await raw.rest();
      assert.equal(end, "reset");
      assert.ok(text.includes("some") && !text.endsWith("0\r\n\r\n"));
    }
    assert.deepEqual(reported, [failure, failure]);
  },
);

simTest("trailers are sent behind chunks, and not where there are none", async () => {
  await using client = testClient((request) => {
    const { pathname } = new URL(request.url);
    return new HttpResponse(pathname === "/whole" ? "body" : async (sink) => sink.send("body"), {
      headers: { trailer: "x-sum" },
      trailers: () => ({ "x-sum": "7" }),
    });
  });
  const raw = new RawClient(client.connect());
  for (const path of ["/whole", "/made"]) {
    await raw.send(get(path));
    const { head, body, trailers } = await raw.response();
    assert.deepEqual(fieldsOf(head, "trailer"), ["x-sum"]);
    assert.equal(body, "body");
    assert.deepEqual(trailers, ["x-sum", "7"]);
  }
  await raw.send(lines("HEAD /whole HTTP/1.1", "host: a", ""));
  assert.equal((await raw.response("HEAD")).head.status, 200);
  await raw.send(lines("GET /whole HTTP/1.0", ""));
  assert.deepEqual((await raw.response()).trailers, []);
});

simTest(
  "a trailer that has no place there, or cannot be written, breaks the connection",
  async () => {
    const [reported, options] = reporting();
    await using client = testClient(
      () => new HttpResponse("body", { trailers: () => ({ "content-length": "4" }) }),
      options,
    );
    const raw = new RawClient(client.connect());
    await raw.send(get());
    const [text, end] = await raw.rest();
    assert.equal(end, "reset");
    assert.ok(!text.includes("content-length"));
    assert.match(String(reported[0]), /content-length in the trailers/);
  },
);

simTest(
  "what is no response that can be sent is 500 with an error that says why, and the connection goes on",
  async () => {
    const [reported, options] = reporting();
    const used = new Response("x");
    await used.text();
    const cases: readonly [unknown, RegExp][] = [
      [undefined, /a handler gave \[object Undefined\], needs a Response/],
      ["hello", /needs a Response/],
      [HttpResponse.error(), /needs a response with a status/],
      [new HttpResponse(null, { status: 101 }), /status 101, needs 200 to 599/],
      [used, /body was read already/],
    ];
    let next: unknown;
    await using client = testClient(() => next as Response, options);
    const raw = new RawClient(client.connect());
    for (const [given, message] of cases) {
      next = given;
      await raw.send(get());
      const { head, body } = await raw.response();
      assert.equal(head.status, 500);
      assert.equal(body, "500 Internal Server Error\n");
      assert.match(String(reported.pop()), message);
    }
    next = new HttpResponse("hello");
    await raw.send(get());
    assert.equal((await raw.response()).body, "hello");
  },
);

simTest(
  "what a handler throws becomes a response; what is not the client's fault is reported, once",
  async () => {
    const [reported, options] = reporting();
    let thrown: unknown;
    await using client = testClient(() => {
      throw thrown;
    }, options);
    for (const [error, status, reports] of [
      [new HttpError(404, "no such thing", { headers: { "x-a": "b" } }), 404, 0],
      [new HttpError(503, "secret"), 503, 1],
      [new Error("secret"), 500, 1],
      ["secret", 500, 1],
    ] as const) {
      thrown = error;
      const response = await client.fetch("/");
      assert.equal(response.status, status);
      assert.equal(response.headers.get("x-a"), status === 404 ? "b" : null);
      assert.ok(!(await response.text()).includes("secret"));
      assert.equal(reported.splice(0).length, reports);
    }
  },
);

simTest("an onError that throws itself changes nothing", async () => {
  const written: unknown[] = [];
  const { error } = console;
  console.error = (...args: unknown[]) => void written.push(...args);
  try {
    await using client = testClient(
      () => {
        throw new Error("first");
      },
      {
        onError: () => {
          throw new Error("second");
        },
      },
    );
    assert.equal((await client.fetch("/")).status, 500);
  } finally {
    console.error = error;
  }
  assert.match(written.map(String).join(), /second.*first/);
});

simTest(
  "streams that are given as bodies are closed: sent, failed, for HEAD, for 204, and if the client has left",
  async () => {
    let open = 0;
    const body = (fails: boolean): AsyncIterable<Uint8Array> & { close(): void } => {
      const [sender, receiver] = createMemoryPipe();
      open += 1;
      const close = receiver.close.bind(receiver);
      receiver.close = () => {
        open -= 1;
        receiver.close = close;
        close();
      };
      if (fails) sender.abort();
      else
        void sender.send(bytesOf("body")).then(
          () => sender.close(),
          () => {},
        );
      return receiver;
    };
    await using client = testClient(
      async (request) => {
        const { pathname } = new URL(request.url);
        if (pathname === "/left") await sleep(10).catch(() => {});
        const init = pathname === "/twice" ? { headers: { "content-length": "x" } } : {};
        return new HttpResponse(body(pathname === "/fails") as never, init);
      },
      { onError() {} },
    );
    for (const [method, path] of [
      ["GET", "/"],
      ["HEAD", "/"],
      ["GET", "/fails"],
      ["GET", "/twice"],
      ["GET", "/left"],
    ] as const) {
      const stream = client.connect();
      const raw = new RawClient(stream);
      await raw.send(lines(`${method} ${path} HTTP/1.1`, "host: a", "connection: close", ""));
      if (path === "/left") {
        await sleep(1);
        stream.close();
        await sleep(20);
      } else {
        await raw.rest();
      }
      assert.equal(open, 0, `${method} ${path}`);
    }
  },
);

simTest(
  "a client that takes nothing: the handler waits, holds no more than a bounded part, and is cut off after writeMs",
  async () => {
    let sent = 0;
    const ended: unknown[] = [];
    const reported: unknown[] = [];
    await using client = testClient(
      () =>
        new HttpResponse(async (sink) => {
          try {
            for (;;) {
              await sink.send(new Uint8Array(10_000));
              sent += 10_000;
            }
          } catch (error) {
            ended.push(error);
            throw error;
          }
        }),
      { timeouts: { writeMs: 1000 }, onError: (error) => void reported.push(error) },
    );
    const raw = new RawClient(client.connect());
    await raw.send(get());
    await sleep(900);
    assert.ok(sent > 0 && sent < 300_000, `${sent} bytes`);
    assert.equal(ended.length, 0);
    await sleep(700);
    assert.ok(ended[0] instanceof Cancelled, String(ended[0]));
    assert.deepEqual(reported, []);
    assert.equal(client.statistics().connectionsOpen, 0);
  },
);

simTest("a client that takes slowly but steadily gets all of it", async () => {
  await using client = testClient(() => new HttpResponse(new Uint8Array(500_000)), {
    timeouts: { writeMs: 1000 },
  });
  const stream = client.connect(1000);
  await stream.send(bytesOf(get("/", "connection: close")));
  let received = 0;
  const before = now();
  for await (const bytes of stream) {
    received += bytes.length;
    await sleep(200);
  }
  assert.ok(received > 500_000);
  assert.ok(now() - before > 1000);
});

simTest("a producer that never waits keeps nobody else waiting", async () => {
  let isDone = false;
  await using client = testClient((request) => {
    if (!request.url.endsWith("/endless")) return new HttpResponse("hello");
    return new HttpResponse(async (sink) => {
      while (!isDone) await sink.send("");
    });
  });
  const raw = new RawClient(client.connect());
  await raw.send(get("/endless"));
  await raw.head();
  assert.equal(await (await client.fetch("/")).text(), "hello");
  isDone = true;
  assert.equal(await raw.piece(), null);
});

simTest("one task sends at a time; another is told so, and the body goes on", async () => {
  const refused: unknown[] = [];
  await using client = testClient(
    () =>
      new HttpResponse(async (sink) => {
        const attempt = async (piece: string): Promise<void> => {
          try {
            await sink.send(piece);
          } catch (error) {
            refused.push(error);
          }
        };
        await taskGroup(async (group) => {
          for (const piece of ["a", "b"]) group.startSoon(() => attempt(piece));
        });
        await sink.send("c");
      }),
  );
  assert.match(await (await client.fetch("/")).text(), /^[ab]c$/);
  assert.ok(refused.length === 1 && refused[0] instanceof BusyResourceError);
});
