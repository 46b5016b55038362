/** Switching to another protocol: what was offered and taken, with every byte behind the head; and requests that go on as HTTP. */
import assert from "node:assert/strict";
import {
  BrokenResourceError,
  currentScope,
  EndOfStream,
  InvalidStateError,
  sleep,
  sleepForever,
  soft,
} from "arborio";
import { takeWire } from "arborio/lowlevel";
import type { ByteStream } from "arborio/streams";
import { cancelEverywhere } from "arborio/testing";
import type { Handler } from "../server/handler.ts";
import { testClient } from "../testing/test-client.ts";
import { HttpResponse } from "../web/http-response.ts";
import { bytesOf, fieldsOf, get, lines, RawClient, simTest } from "./raw-client.test.kit.ts";

const UPGRADE = get("/", "connection: keep-alive, Upgrade", "upgrade: websocket, Echo");
const CONNECT = lines("CONNECT example.org:443 HTTP/1.1", "host: example.org:443", "");

async function echo(stream: ByteStream): Promise<void> {
  for await (const bytes of stream) await stream.send(bytes);
  await stream.sendEof();
}

const upgrading: Handler = (_request, context) =>
  context.upgrade(echo, { protocol: "echo", headers: { "x-a": "b" } });

simTest(
  "context.upgrade: 101, then the continuation has the connection, first with what came behind the head",
  async () => {
    await using client = testClient(upgrading);
    for (const behind of ["", "early ", "early ".repeat(10_000)]) {
      const stream = client.connect();
      const raw = new RawClient(stream);
      await raw.send(UPGRADE + behind);
      let text = "";
      while (!text.includes("\r\n\r\n")) text += new TextDecoder().decode(await stream.receive());
      await raw.send("late");
      await stream.sendEof();
      const [rest, end] = await raw.rest();
      text += rest;
      const [head = "", behindHead] = text.split("\r\n\r\n");
      assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
      assert.match(head, /\r\nx-a: b\r\n/);
      assert.match(head, /\r\nconnection: upgrade\r\nupgrade: Echo$/i);
      assert.doesNotMatch(head, /content-length|transfer-encoding/i);
      assert.equal(behindHead, `${behind}late`);
      assert.equal(end, "end");
    }
  },
);

simTest("context.upgrade: CONNECT gives a tunnel with 200", async () => {
  const seen: string[] = [];
  await using client = testClient((request, context) => {
    seen.push(request.method, request.url);
    return context.upgrade(echo);
  });
  const raw = new RawClient(client.connect());
  await raw.send(CONNECT);
  const head = await raw.head("CONNECT");
  assert.equal(head.status, 200);
  assert.deepEqual(fieldsOf(head, "content-length"), []);
  assert.deepEqual(fieldsOf(head, "connection"), []);
  await raw.send("through");
  assert.equal(new TextDecoder().decode(await raw.stream.receive()), "through");
  assert.deepEqual(seen, ["CONNECT", "http://example.org:443/"]);
});

simTest(
  "CONNECT to a server that makes no tunnels is refused, whatever its handler says",
  async () => {
    await using client = testClient(() => new HttpResponse("welcome"), {
      onError: () => assert.fail("that is nobody's error"),
    });
    const raw = new RawClient(client.connect());
    await raw.send(CONNECT);
    assert.equal((await raw.response("CONNECT")).head.status, 501);
    await raw.send(get());
    assert.equal((await raw.response()).body, "welcome");
  },
);

simTest(
  "an upgrade that is not taken: the request goes on as HTTP, and so do those behind it",
  async () => {
    await using client = testClient((_request, context) => {
      // Made, and not returned.
      if (context.upgradeProtocols.length > 0) context.upgrade(echo);
      return new HttpResponse(context.upgradeProtocols.join("+"));
    });
    const raw = new RawClient(client.connect());
    await raw.send(UPGRADE + UPGRADE + get());
    for (const body of ["websocket+Echo", "websocket+Echo", ""]) {
      assert.equal((await raw.response()).body, body);
    }
  },
);

simTest(
  "context.upgradeProtocols: nothing, where Upgrade is not meant, or HTTP/1.0, or a body comes",
  async () => {
    await using client = testClient((_request, context) =>
      HttpResponse.json(context.upgradeProtocols),
    );
    for (const request of [
      get("/", "upgrade: echo"),
      lines("GET / HTTP/1.0", "connection: upgrade", "upgrade: echo", ""),
      `${lines("POST / HTTP/1.1", "host: a", "connection: upgrade", "upgrade: echo", "content-length: 2", "")}hi`,
      get("/", "connection: notupgrade", "upgrade: echo"),
    ]) {
      using stream = client.connect();
      const raw = new RawClient(stream);
      await raw.send(request);
      assert.equal((await raw.response()).body, "[]");
    }
  },
);

simTest(
  "context.upgrade: what the client does not offer is refused with an error that says what it offers",
  async () => {
    const errors: unknown[] = [];
    await using client = testClient((_request, context) => {
      for (const protocol of ["h2c", undefined]) {
        try {
          context.upgrade(echo, protocol === undefined ? {} : { protocol });
        } catch (error) {
          errors.push(error);
        }
      }
      return new HttpResponse("");
    });
    const raw = new RawClient(client.connect());
    await raw.send(get("/", "connection: upgrade", "upgrade: echo"));
    await raw.response();
    await raw.send(get());
    await raw.response();
    assert.equal(errors.length, 3);
    assert.ok(errors.every((error) => error instanceof InvalidStateError));
    assert.match(String(errors[0]), /got "h2c", needs a protocol that the client offers: echo/);
  },
);

simTest(
  "a continuation that fails breaks the connection, and is reported; one that ends closes it",
  async () => {
    const reported: unknown[] = [];
    const failure = new Error("no more");
    let fails = true;
    await using client = testClient(
      (_request, context) =>
        context.upgrade(async (stream) => {
          await stream.send(bytesOf("x"));
          if (fails) throw failure;
        }),
      { onError: (error) => void reported.push(error) },
    );
    for (const expected of ["reset", "end"]) {
      const raw = new RawClient(client.connect());
      await raw.send(UPGRADE);
      assert.equal((await raw.rest())[1], expected);
      fails = false;
    }
    assert.deepEqual(reported, [failure]);
  },
);

simTest(
  "a continuation learns from the stream that the client has ended, or has gone",
  async () => {
    const seen: unknown[] = [];
    await using client = testClient(
      (_request, context) =>
        context.upgrade(async (stream) => {
          try {
            for (;;) await stream.receive();
          } catch (error) {
            seen.push(error);
            assert.equal(currentScope().cancelCalled, false);
            throw error;
          }
        }),
      { onError() {} },
    );
    for (const leave of ["sendEof", "abort"] as const) {
      const stream = client.connect();
      const raw = new RawClient(stream);
      await raw.send(UPGRADE);
      await raw.head();
      await stream[leave]();
      await sleep(10);
    }
    assert.ok(seen[0] instanceof EndOfStream);
    assert.ok(seen[1] instanceof BrokenResourceError);
    assert.equal(client.statistics().connectionsOpen, 0);
  },
);

simTest(
  "a shutdown asks a continuation, lets it say goodbye, and cancels it after the grace",
  async () => {
    for (const asks of [true, false]) {
      let ended = false;
      const client = testClient((_request, context) =>
        context.upgrade(async (stream) => {
          try {
            if (asks) await soft(() => sleepForever());
            else await sleepForever();
            await stream.send(bytesOf("goodbye"));
          } finally {
            ended = true;
          }
        }),
      );
      const raw = new RawClient(client.connect());
      await raw.send(UPGRADE);
      await raw.head();
      await client.close({ graceMs: 1000 });
      assert.ok(ended);
      const [text, end] = await raw.rest();
      assert.deepEqual([text, end], asks ? ["goodbye", "end"] : ["", "reset"]);
    }
  },
);

simTest("backpressure holds both ways behind an upgrade", async () => {
  let received = 0;
  await using client = testClient((_request, context) =>
    context.upgrade(async (stream) => {
      await sleep(1000);
      for await (const bytes of stream) received += bytes.length;
    }),
  );
  const raw = new RawClient(client.connect());
  await raw.send(UPGRADE);
  await raw.head();
  let sent = 0;
  const sending = (async () => {
    for (; sent < 1_000_000; sent += 10_000) await raw.send("x".repeat(10_000));
    await raw.stream.sendEof();
  })();
  await sleep(500);
  assert.ok(sent < 400_000, `${sent} bytes`);
  await sending;
  await raw.rest();
  assert.equal(received, 1_000_000);
});

simTest(
  "an upgrade, cancelled at every checkpoint of the client: nothing is left",
  async () => {
    await cancelEverywhere(async (round) => {
      let running = 0;
      const opened = testClient((_request, context) =>
        context.upgrade(async (stream) => {
          running += 1;
          try {
            await echo(stream);
          } finally {
            running -= 1;
          }
        }),
      );
      round.after(() => {
        assert.equal(running, 0);
        assert.equal(opened.statistics().connectionsOpen, 0);
      });
      await using client = opened;
      using stream = client.connect();
      const raw = new RawClient(stream);
      await raw.send(`${UPGRADE}early`);
      await raw.head();
      await raw.send("late");
      await stream.sendEof();
    });
  },
  [1],
);

simTest(
  "context.upgrade: a continuation that took the wire and ended has the connection closed",
  async () => {
    await using client = testClient((_request, context) =>
      context.upgrade(async (stream) => void takeWire(stream), { protocol: "echo" }),
    );
    const raw = new RawClient(client.connect());
    await raw.send(UPGRADE);
    assert.equal((await raw.head()).status, 101);
    assert.deepEqual(await raw.rest(), ["", "end"]);
  },
);
