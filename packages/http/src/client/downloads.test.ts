/** Bodies of responses: how they end, who may read them how, what becomes of what nobody reads. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import {
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
  moveOnAfter,
  now,
  sleep,
  taskGroup,
} from "arborio";
import type { ByteReceiveStream } from "arborio/streams";
import { onEveryBackend } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import type { BodySink } from "../web/body-producer.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openHttpClient } from "./http-client.ts";
import { failedIn, type RawPeer, rawServer, type RawServer } from "./raw-server.test.kit.ts";
import { encode } from "./uploads.test.kit.ts";

const test = onEveryBackend(nodeTest);

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

/** Answers each request by these pieces, with a pause before each but the first. Closes if told so. */
function answering(
  pieces: readonly string[],
  closes = false,
): (peer: RawPeer, server: RawServer) => Promise<void> {
  return async (peer, { seen }) => {
    for (let head = await peer.request(); head !== null; head = await peer.request()) {
      seen.push(head);
      for (const [index, piece] of pieces.entries()) {
        if (index > 0) await sleep(10);
        await peer.send(piece);
      }
      if (closes) return;
    }
  };
}

/** Receives so many bytes, however they are cut. */
async function receiveAll(stream: ByteReceiveStream | null, bytes: number): Promise<void> {
  for (let left = bytes; left > 0;) left -= (await stream?.receive(left))?.length ?? 0;
}

/** What a body is as it goes on the line, and what it is. */
const FRAMED: Readonly<Record<string, readonly [pieces: readonly string[], closes?: boolean]>> = {
  "with a length, whole": [[`${OK}content-length: 10\r\n\r\nhellohello`]],
  "with a length, in pieces": [[`${OK}content-length: 10\r\n\r\n`, "hello", "hello"]],
  "in chunks, whole": [[`${CHUNKED}5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n`]],
  "in chunks, whole, with trailers": [[`${CHUNKED}a\r\nhellohello\r\n0\r\na: b\r\n\r\n`]],
  "in chunks, cut anywhere": [[CHUNKED, "5\r\nhel", "lo\r\n5\r", "\nhello\r\n0\r\n", "\r\n"]],
  "in chunks, of which some came with the head": [
    [`${CHUNKED}5\r\nhello\r\n`, "5\r\nhello\r\n0\r\n\r\n"],
  ],
  "to the end of the connection, whole": [[`${OK}\r\nhellohello`], true],
  "to the end of the connection, in pieces": [[`${OK}\r\nhello`, "hello"], true],
};

for (const [title, [pieces, closes]] of Object.entries(FRAMED)) {
  test(
    `a body ${title}: read in any way, and the connection is kept if it can be`,
    async (group) => {
      const server = await rawServer(group, answering(pieces, closes));
      await using client = openHttpClient({ base: server.url });
      assert.equal((await client.request("/")).text(), "hellohello");
      assert.equal(await (await client.fetch("/")).text(), "hellohello");
      let text = "";
      const { bodyStream } = await client.fetch("/");
      for await (const piece of bodyStream ?? []) text += new TextDecoder().decode(piece);
      assert.equal(text, "hellohello");
      await assert.rejects(async () => bodyStream?.receive(), EndOfStream);
      text = "";
      for await (const piece of (await client.fetch("/")).body ?? [])
        text += new TextDecoder().decode(piece);
      assert.equal(text, "hellohello");
      const byteByByte = (await client.fetch("/")).bodyStream;
      for (let count = 0; count < 10; count++)
        assert.equal((await byteByByte?.receive(1))?.length, 1);
      await assert.rejects(async () => byteByByte?.receive(1), EndOfStream);
      const { connectionsOpened, connectionsOpen } = client.statistics();
      assert.deepEqual([connectionsOpened, connectionsOpen], closes === true ? [5, 0] : [1, 1]);
    },
    { seeds: [1, 2, 3] },
  );
}

simTest(
  "trailers are those of their own response, also when the connection has gone on",
  async () => {
    let number = 0;
    await using server = await openServer(
      () => {
        const own = `${++number}`;
        return new HttpResponse(
          async (sink: BodySink) => {
            await sink.send("a");
            await sleep(10);
          },
          { trailers: () => new Headers({ "x-number": own }) },
        );
      },
      { port: 0 },
    );
    await using client = openHttpClient({ base: server.url });
    const first = await client.fetch("/");
    assert.deepEqual(first.trailers, []);
    await first.text();
    const second = await client.request("/");
    assert.deepEqual(first.trailers, ["x-number", "1"]);
    assert.deepEqual(second.trailers, ["x-number", "2"]);
    assert.equal(client.statistics().connectionsOpened, 1);
  },
);

simTest(
  "a body that was read, closed or left does nothing to the one that its connection carries next",
  async (group) => {
    const server = await rawServer(group, answering([`${OK}content-length: 5\r\n\r\n`, "hello"]));
    await using client = openHttpClient({ base: server.url });
    const first = await client.fetch("/");
    const stream = first.bodyStream;
    await receiveAll(stream, 5);
    await assert.rejects(async () => stream?.receive(), EndOfStream);
    const second = await client.fetch("/");
    first.close();
    stream?.close();
    assert.equal(await second.text(), "hello");
    // One that waits when it is closed does not take the deadline of the next one with it.
    const third = await client.fetch("/");
    await taskGroup(async (inner) => {
      inner.startSoon(() =>
        assert.rejects(async () => third.bodyStream?.receive(), ClosedResourceError),
      );
      await sleep(1);
      third.close();
      await sleep(100);
      assert.equal((await client.request("/")).text(), "hello");
    });
    assert.equal(client.statistics().connectionsOpened, 1);
  },
);

simTest("one task reads at a time; a wait that is cancelled has lost nothing", async (group) => {
  const server = await rawServer(group, answering([`${OK}content-length: 5\r\n\r\n`, "hello"]));
  await using client = openHttpClient({ base: server.url });
  const response = await client.fetch("/");
  const { bodyStream } = response;
  assert.equal(response.bodyStream, bodyStream);
  assert.equal(await moveOnAfter(5, async () => bodyStream?.receive()), undefined);
  await taskGroup(async (inner) => {
    const waiting = inner.startSoon(async () => bodyStream?.receive());
    await sleep(1);
    await assert.rejects(async () => bodyStream?.receive(), BusyResourceError);
    await assert.rejects(response.text(), /read already/);
    assert.ok(((await waiting.result())?.length ?? 0) > 0);
  });
});

// Without a body -------------------------------------------------------------------------------------------------------

for (const [method, status, fields] of [
  ["HEAD", 200, "content-length: 5\r\ncontent-encoding: gzip"],
  ["HEAD", 200, "transfer-encoding: chunked"],
  ["GET", 204, "x: y"],
  ["GET", 304, "content-length: 5"],
  ["GET", 200, "content-length: 0"],
] as const) {
  simTest(
    `${method} ${status} with ${fields.replace(/\r\n/g, ", ")}: there is no body`,
    async (group) => {
      const server = await rawServer(
        group,
        answering([`HTTP/1.1 ${status} x\r\n${fields}\r\n\r\n`]),
      );
      await using client = openHttpClient({ base: server.url });
      const response = await client.fetch("/", { method });
      assert.equal(response.body, null);
      assert.equal(response.bodyStream, null);
      assert.equal(response.bodyUsed, false);
      assert.equal(await response.text(), "");
      assert.equal(
        response.headers.get("content-encoding"),
        fields.includes("gzip") ? "gzip" : null,
      );
      assert.equal((await client.request("/", { method })).bytes.length, 0);
      assert.equal(client.statistics().connectionsOpened, 1);
    },
  );
}

// What nobody reads ----------------------------------------------------------------------------------------------------

const LEFT: Readonly<Record<string, readonly [pieces: readonly string[], isKept: boolean]>> = {
  "that came whole": [[`${OK}content-length: 5\r\n\r\nhello`], true],
  "that is short and still to come": [[`${OK}content-length: 5\r\n\r\n`, "hel", "lo"], true],
  "in chunks that came whole": [[`${CHUNKED}5\r\nhello\r\n0\r\n\r\n`], true],
  "of unknown length that is still to come": [[CHUNKED, "5\r\nhello\r\n0\r\n\r\n"], false],
  "that is long": [[`${OK}content-length: 100000\r\n\r\n`, "a".repeat(100_000)], false],
  "that does not come": [[`${OK}content-length: 5\r\n\r\n`], false],
  "that breaks the protocol": [[`${CHUNKED}zz\r\n`], false],
};

for (const [title, [pieces, isKept]] of Object.entries(LEFT)) {
  simTest(
    `a response ${title}, and is closed unread: its connection is ${isKept ? "kept" : "closed"}`,
    async (group) => {
      const server = await rawServer(group, answering(pieces));
      await using client = openHttpClient({ base: server.url });
      {
        using response = await client.fetch("/");
        assert.equal(response.status, 200);
      }
      await sleep(3000);
      assert.equal(client.statistics().connectionsIdle, isKept ? 1 : 0);
      assert.equal(client.statistics().connectionsOpen, isKept ? 1 : 0);
      if (!isKept) return;
      using response = await client.fetch("/");
      assert.equal(await response.text(), "hello");
      assert.equal(client.statistics().connectionsOpened, 1);
    },
  );
}

// Limits and signals ---------------------------------------------------------------------------------------------------

simTest(
  "bodyBytesMax: by what is announced, and by what comes; of a client and of a request",
  async (group) => {
    for (const pieces of [
      [`${OK}content-length: 5\r\n\r\nhello`],
      [`${CHUNKED}5\r\nhello\r\n0\r\n\r\n`],
      [CHUNKED, "5\r\nhello\r\n0\r\n\r\n"],
    ]) {
      const server = await rawServer(group, answering(pieces));
      await using client = openHttpClient({ base: server.url, bodyBytesMax: 4 });
      await assert.rejects(client.request("/"), failedIn("body", "too-large"));
      await assert.rejects(client.request("/"), /has more than 4 bytes/);
      assert.equal((await client.request("/", { bodyBytesMax: 5 })).text(), "hello");
      assert.equal((await client.request("/", { bodyBytesMax: Infinity })).text(), "hello");
      assert.throws(() => openHttpClient({ bodyBytesMax: -1 }), RangeError);
      await assert.rejects(client.request("/", { bodyBytesMax: "5" as never }), RangeError);
    }
  },
);

simTest(
  "what is read as a whole has at most 1 GiB, unless somebody says otherwise",
  async (group) => {
    const server = await rawServer(
      group,
      answering([`${OK}content-length: 1073741825\r\n\r\nhello`]),
    );
    await using client = openHttpClient({ base: server.url });
    await assert.rejects(client.request("/"), failedIn("body", "too-large"));
    using response = await client.fetch("/");
    await receiveAll(response.bodyStream, 5);
  },
);

/** Counts those who listen. */
function countingSignal(): {
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
  readonly listeners: () => number;
} {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => ((listeners += 1), add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (
    (listeners -= 1),
    remove(...args)
  );
  return { signal, abort: (reason) => controller.abort(reason), listeners: () => listeners };
}

simTest(
  "a signal aborts the reading of the body with its reason, and is not listened to afterwards",
  async (group) => {
    const server = await rawServer(
      group,
      answering([`${OK}content-length: 100000\r\n\r\n`, "hello", "a".repeat(99_995)]),
    );
    await using client = openHttpClient({ base: server.url });
    const reason = { why: "enough" };
    const { signal, abort, listeners } = countingSignal();
    const response = await client.fetch("/", { signal });
    assert.equal(listeners(), 1);
    await taskGroup(async (inner) => {
      inner.startSoon(() => assert.rejects(response.text(), (error) => error === reason));
      await sleep(15);
      abort(reason);
    });
    assert.equal(listeners(), 0);
    assert.equal(client.statistics().connectionsOpen, 0);
    await assert.rejects(client.fetch("/", { signal }), (error) => error === reason);
    for (const end of ["text", "close"] as const) {
      const counted = countingSignal();
      const other = await client.fetch("/", { signal: counted.signal });
      assert.equal(counted.listeners(), 1);
      await other[end]();
      assert.equal(counted.listeners(), 0);
      counted.abort(reason);
      await sleep(100);
    }
    // A web stream too.
    const late = countingSignal();
    const streamed = await client.fetch("/", { signal: late.signal });
    const reader = streamed.body?.getReader();
    const reading = reader?.read();
    late.abort(reason);
    await assert.rejects(async () => reading);
    assert.equal(late.listeners(), 0);
  },
);

simTest("closing the client while a body is read: the reader is told", async (group) => {
  const server = await rawServer(group, answering([`${OK}content-length: 10\r\n\r\nhello`]));
  const client = openHttpClient({ base: server.url });
  const response = await client.fetch("/");
  await taskGroup(async (inner) => {
    inner.startSoon(() => assert.rejects(response.text(), failedIn("body", "closed")));
    await sleep(10);
    await client[Symbol.asyncDispose]();
  });
});

simTest(
  "a body that pauses longer than bodyMs: an error; the time in which nobody waits does not count",
  async (group) => {
    const server = await rawServer(group, answering([`${OK}content-length: 10\r\n\r\nhello`]));
    await using client = openHttpClient({ base: server.url, timeouts: { bodyMs: 1000 } });
    const { bodyStream } = await client.fetch("/");
    await sleep(5000);
    await receiveAll(bodyStream, 5);
    const before = now();
    await assert.rejects(async () => bodyStream?.receive(), failedIn("body", "timeout"));
    assert.ok(now() - before >= 1000 && now() - before < 1300, `${now() - before}`);
    bodyStream?.close();
  },
);

simTest("bytesReceived tells the progress of what is read, as it came", async (group) => {
  const server = await rawServer(
    group,
    answering([`${OK}content-length: 10\r\n\r\nhello`, "hello"]),
  );
  await using client = openHttpClient({ base: server.url });
  const response = await client.fetch("/");
  assert.equal(response.bytesReceived, 0);
  await receiveAll(response.bodyStream, 5);
  assert.equal(response.bytesReceived, 5);
  await receiveAll(response.bodyStream, 5);
  assert.equal(response.bytesReceived, 10);
  response.close();
  assert.equal(encode("hello").length, (await client.request("/")).bytesReceived / 2);
});
