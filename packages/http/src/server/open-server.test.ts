import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as runnerTest } from "node:test";
import {
  Cancelled,
  Event,
  failAfter,
  InvalidStateError,
  sleep,
  SystemError,
  taskGroup,
} from "arborio";
import { connectTcp, connectUnix, listenTcp, type SocketStream } from "arborio/net";
import { onEveryBackend } from "arborio/testing";
import { get, RawClient } from "../connection/raw-client.test.kit.ts";
import { HttpResponse } from "../web/http-response.ts";
import { authority, identity } from "./certificates.test.kit.ts";
import type { Handler } from "./handler.ts";
import { openServer, serve } from "./open-server.ts";

const test = onEveryBackend(runnerTest);
const hostOnly = {
  skip: { backend: "simulator", reason: "it is about the system's sockets" },
} as const;
const LOCAL = { port: 0, host: "127.0.0.1" } as const;

const hello: Handler = () => new HttpResponse("hello");

async function bodyOver(stream: SocketStream): Promise<string> {
  const raw = new RawClient(stream);
  await raw.send(get("/", "connection: close"));
  const { body } = await raw.response();
  return body;
}

test("openServer: listens when it returns, with a port, an address and a URL that reaches it", async () => {
  await using server = await openServer(hello, LOCAL);
  assert.ok(server.port > 0);
  assert.deepEqual(server.addresses, [{ host: "127.0.0.1", port: server.port }]);
  assert.equal(server.url, `http://127.0.0.1:${server.port}/`);
  using stream = await connectTcp("127.0.0.1", server.port);
  assert.equal(await bodyOver(stream), "hello");
});

test("openServer: on all addresses its URL is that of localhost; on an IPv6 address in brackets", async () => {
  {
    await using server = await openServer(hello, { port: 0 });
    assert.equal(server.url, `http://localhost:${server.port}/`);
    using stream = await connectTcp("localhost", server.port);
    assert.equal(await bodyOver(stream), "hello");
  }
  await using server = await openServer(hello, { port: 0, host: "::1" });
  assert.equal(server.url, `http://[::1]:${server.port}/`);
});

test(
  "openServer: the platform's own fetch, over keep-alive connections",
  async () => {
    await using server = await openServer(
      async (request) => new HttpResponse(await request.text()),
      LOCAL,
    );
    for (let count = 0; count < 3; count++) {
      const response = await fetch(server.url, { method: "POST", body: `text ${count}` });
      assert.equal(await response.text(), `text ${count}`);
    }
  },
  hostOnly,
);

test(
  "openServer: a Unix socket, which has no port and no URL, and is gone in the end",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "arborio-http-"));
    try {
      const path = join(folder, "socket");
      {
        await using server = await openServer(hello, { path });
        assert.deepEqual(server.addresses, [{ path }]);
        assert.throws(() => server.port, TypeError);
        assert.throws(() => server.url, TypeError);
        using stream = await connectUnix(path);
        assert.equal(await bodyOver(stream), "hello");
      }
      assert.equal(existsSync(path), false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  hostOnly,
);

test(
  "openServer({ tls }): HTTPS; handlers see what was agreed upon, and request.url says so",
  async () => {
    await using server = await openServer(
      (request, context) => new HttpResponse(`${request.url} ${context.tls?.version}`),
      { ...LOCAL, tls: { identity } },
    );
    assert.match(server.url, /^https:/);
    using stream = await connectTcp("localhost", server.port, { tls: { trusted: authority } });
    assert.match(await bodyOver(stream), /^https:\/\/a\/ TLSv1\.[23]$/);
  },
  hostOnly,
);

test(
  "openServer({ tls }): who sends no TLS ends nothing but its connection",
  async () => {
    const errors: unknown[] = [];
    await using server = await openServer(hello, {
      ...LOCAL,
      tls: { identity },
      onError: (error) => void errors.push(error),
    });
    using wrong = await connectTcp("127.0.0.1", server.port);
    await wrong.send(new TextEncoder().encode(get()));
    await failAfter(5000, () => new RawClient(wrong).rest());
    using stream = await connectTcp("localhost", server.port, { tls: { trusted: authority } });
    assert.equal(await bodyOver(stream), "hello");
    assert.deepEqual(errors, []);
  },
  hostOnly,
);

test("openServer({ listener }): one that is there already; it is closed with the server", async () => {
  const listener = await listenTcp(0, { host: "127.0.0.1" });
  {
    await using server = await openServer(hello, { listener });
    assert.equal(server.port, listener.port);
    using stream = await connectTcp("127.0.0.1", listener.port);
    assert.equal(await bodyOver(stream), "hello");
  }
  await assert.rejects(connectTcp("127.0.0.1", listener.port));
});

test(
  "openServer({ reusePort }): two servers on one port, and each connection gets one of them",
  async () => {
    await using first = await openServer(() => new HttpResponse("1"), {
      ...LOCAL,
      reusePort: true,
    });
    await using second = await openServer(() => new HttpResponse("2"), {
      ...LOCAL,
      port: first.port,
      reusePort: true,
    });
    assert.equal(second.port, first.port);
    for (let count = 0; count < 10; count++) {
      using stream = await connectTcp("127.0.0.1", first.port);
      assert.match(await bodyOver(stream), /^[12]$/);
    }
  },
  hostOnly,
);

test("openServer: a port that is taken is EADDRINUSE, and nothing is left open", async () => {
  await using server = await openServer(hello, LOCAL);
  await assert.rejects(
    openServer(hello, { ...LOCAL, port: server.port }),
    (error) => error instanceof SystemError && error.systemCode === "EADDRINUSE",
  );
});

runnerTest(
  "openServer: outside a run it is InvalidStateError, and does not listen on",
  async () => {
    await assert.rejects(openServer(hello, LOCAL), InvalidStateError);
  },
);

test("openServer: ends with main, if nobody closes it", async () => {
  await openServer(hello, LOCAL);
});

test("openServer: options that are none are refused before anything listens, and the error says which", async () => {
  const cases: readonly [object, RegExp][] = [
    [
      { limits: { bodyByteMax: 1 } },
      /limits: \{ bodyByteMax \}.*there is no such option; there are .*bodyBytesMax/,
    ],
    [{ limits: { bodyBytesMax: -1 } }, /bodyBytesMax \} \}\): got -1, needs at least 0/],
    [{ limits: { connectionsMax: 0 } }, /connectionsMax.*got 0, needs at least 1/],
    [{ limits: 5 }, /limits \}\): got 5, needs an object/],
    [{ timeouts: { headMs: "5s" } }, /headMs.*got "5s", needs a number/],
    [{ timeouts: { idleMs: 0 } }, /idleMs.*got 0, needs at least 1/],
    [{ timeouts: { idleMs: Number.NaN } }, /idleMs.*got NaN, needs at least 1/],
    [{ halfClose: 1 }, /halfClose \}\): got 1, needs true or false/],
    [{ debug: "yes" }, /debug/],
    [{ onError: 5 }, /onError \}\): got 5, needs a function/],
    [{ trace: { requestStart: 5 } }, /trace: \{ requestStart \} \}\): got 5, needs a function/],
    [{ trustProxies: "all" }, /createClientOf/],
    [{ graceMs: -1 }, /graceMs \}\): got -1/],
    [{ path: "/tmp/x", port: 80 }, /path, port.*leave one out/],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(openServer(hello, { ...(options as object) }), message);
    await assert.rejects(serve(hello, { ...(options as object) }), message);
  }
  const listener = await listenTcp(0, { host: "127.0.0.1" });
  await assert.rejects(openServer(hello, { listener, port: 80 }), /listener, port/);
  listener.close();
  await assert.rejects(openServer(undefined as never), /got undefined, needs a handler/);
  await assert.rejects(openServer(hello, 8080 as never), /got 8080, needs an object/);
});

test("Server.statistics: connections, requests and bytes, with those that are over; frozen", async () => {
  const looked = new Event();
  await using server = await openServer(async (request) => {
    if (request.url.endsWith("/slow")) await looked.wait();
    return new HttpResponse("hello");
  }, LOCAL);
  const idle = new RawClient(await connectTcp("127.0.0.1", server.port));
  await idle.send(get());
  await idle.response();
  const active = new RawClient(await connectTcp("127.0.0.1", server.port));
  await active.send(get("/slow"));
  await failAfter(5000, async () => {
    while (server.statistics().connectionsActive === 0) await sleep(1);
  });
  const now = server.statistics();
  assert.ok(Object.isFrozen(now));
  assert.equal(now.connectionsOpen, 2);
  assert.equal(now.connectionsActive, 1);
  assert.equal(now.connectionsIdle, 1);
  assert.equal(now.requestsHandled, 1);
  assert.equal(now.bytesReceived, get().length + get("/slow").length);
  const before = now.bytesSent;
  looked.set();
  await active.response();
  for (const { stream } of [idle, active]) stream.close();
  await failAfter(5000, async () => {
    while (server.statistics().connectionsOpen > 0) await sleep(1);
  });
  const after = server.statistics();
  assert.deepEqual(
    { ...after, bytesSent: 0 },
    {
      connectionsOpen: 0,
      connectionsActive: 0,
      connectionsIdle: 0,
      requestsHandled: 2,
      bytesReceived: now.bytesReceived,
      bytesSent: 0,
    },
  );
  assert.equal(after.bytesSent, before * 2);
});

test("limits.connectionsMax: further connections wait until one is free", async () => {
  const listener = await listenTcp(0, { host: "127.0.0.1" });
  await using server = await openServer(hello, { listener, limits: { connectionsMax: 2 } });
  const first = new RawClient(await connectTcp("127.0.0.1", server.port));
  const second = new RawClient(await connectTcp("127.0.0.1", server.port));
  for (const one of [first, second]) {
    await one.send(get());
    await one.response();
  }
  const third = new RawClient(await connectTcp("127.0.0.1", server.port));
  await third.send(get());
  await failAfter(5000, async () => {
    while (listener.statistics().connectionsWaiting === 0) await sleep(1);
  });
  await sleep(20);
  assert.equal(server.statistics().connectionsOpen, 2);
  assert.equal(server.statistics().requestsHandled, 2);
  first.stream.close();
  assert.equal((await failAfter(5000, () => third.response())).body, "hello");
  for (const { stream } of [second, third]) stream.close();
});

const hasDescriptors = existsSync("/proc/self/fd");
const countingTest = onEveryBackend((title, body) => {
  if (hasDescriptors) return runnerTest(title, body);
  console.log(`# skip ${title}: this system has no /proc/self/fd`);
  return runnerTest(title, { skip: "this system has no /proc/self/fd" }, () => {});
});

countingTest(
  "descriptors: none is left by clients that come, leave, break off and are cut off",
  async () => {
    const count = (): number => readdirSync("/proc/self/fd").length;
    await using server = await openServer(
      async (request) => {
        await request.text();
        return new HttpResponse(async (sink) => {
          for (let piece = 0; piece < 100; piece++) await sink.send(new Uint8Array(10_000));
        });
      },
      { ...LOCAL, onError() {} },
    );
    const visit = async (how: number): Promise<void> => {
      const stream = await connectTcp("127.0.0.1", server.port);
      try {
        const raw = new RawClient(stream);
        if (how === 0) return;
        await raw.send(how === 1 ? "POST / HT" : get("/", "connection: close"));
        if (how === 2) await stream.receive();
        if (how === 3) await raw.rest();
        if (how === 4) stream.abort();
      } finally {
        stream.close();
      }
    };
    await visit(3);
    const settled = async (): Promise<void> => {
      while (server.statistics().connectionsOpen > 0) await sleep(1);
      await sleep(20);
    };
    await failAfter(5000, settled);
    const before = count();
    await taskGroup(async (group) => {
      for (let visitor = 0; visitor < 50; visitor++) group.startSoon(() => visit(visitor % 5));
    });
    await failAfter(10_000, settled);
    assert.ok(count() <= before + 2, `${before} before, ${count()} after`);
  },
  hostOnly,
);

test("a client that leaves, by end or reset, at any time: the handler has been cancelled and cleaned up, in bounded time", async () => {
  let [running, begun] = [0, 0];
  const errors: unknown[] = [];
  const reported: unknown[] = [];
  const during = async <T>(fn: () => Promise<T>): Promise<T> => {
    running += 1;
    begun += 1;
    try {
      return await fn();
    } catch (error) {
      errors.push(error);
      throw error;
    } finally {
      running -= 1;
    }
  };
  await using server = await openServer(
    (request) =>
      during(async () => {
        await request.text();
        await sleep(request.url.endsWith("/slow") ? 60_000 : 0);
        return new HttpResponse((sink) =>
          during(async () => {
            for (;;) await sink.send(new Uint8Array(50_000));
          }),
        );
      }),
    { ...LOCAL, onError: (error) => void reported.push(error) },
  );
  for (const leave of ["close", "abort"] as const) {
    for (const [path, announced] of [
      ["/slow", 0],
      ["/slow", 100],
      ["/endless", 0],
    ] as const) {
      const before = begun;
      const stream = await connectTcp("127.0.0.1", server.port);
      await stream.send(
        new TextEncoder().encode(
          `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${announced}\r\n\r\n`,
        ),
      );
      await failAfter(5000, async () => {
        while (begun === before) await sleep(1);
      });
      if (path === "/endless") await stream.receive(10);
      stream[leave]();
      await failAfter(5000, async () => {
        while (running > 0 || server.statistics().connectionsOpen > 0) await sleep(1);
      });
    }
  }
  assert.ok(errors.length >= 6);
  for (const error of errors) assert.ok(error instanceof Cancelled, String(error));
  assert.deepEqual(reported, []);
});

test(
  "deadlines: a process that was held up reads what has come before it calls anybody late",
  async () => {
    await using server = await openServer(hello, { ...LOCAL, timeouts: { headMs: 1500 } });
    using stream = await connectTcp("127.0.0.1", server.port);
    const raw = new RawClient(stream);
    await raw.send("GET / HTTP/1.1\r\n");
    await sleep(50);
    // From within a callback of I/O: timers come before the next one.
    using other = await connectTcp("127.0.0.1", server.port);
    assert.equal(await bodyOver(other), "hello");
    await raw.send("host: a\r\n\r\n");
    const until = performance.now() + 2000;
    while (performance.now() < until);
    assert.equal((await raw.response()).head.status, 200);
  },
  hostOnly,
);
