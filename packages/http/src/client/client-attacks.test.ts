/** Servers that mean ill, and what a client makes of them: an error that says what was wrong, a closed connection, and nothing for the next request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failAfter, now, run, sleep, TimeoutError } from "arborio";
import { simulator } from "arborio/sim";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { openHttpClient } from "./http-client.ts";
import { failedIn, type RawPeer, rawServer } from "./raw-server.test.kit.ts";
import { attacked, OK, saying } from "./attacked.test.kit.ts";

const BAD_HEADS: Readonly<Record<string, string>> = {
  "a NUL in a value": `${OK}x: a\0b\r\ncontent-length: 0\r\n\r\n`,
  "a control character in a value": `${OK}x: a\x1bb\r\ncontent-length: 0\r\n\r\n`,
  "a NUL in a name": `${OK}x\0y: a\r\ncontent-length: 0\r\n\r\n`,
  "a control character in the reason": "HTTP/1.1 200 O\x07K\r\ncontent-length: 0\r\n\r\n",
  "a bare CR": `${OK}x: a\rb\r\ncontent-length: 0\r\n\r\n`,
  "bare LFs": "HTTP/1.1 200 OK\ncontent-length: 2\n\nhi",
  "a bare LF among the fields": `${OK}x: a\ncontent-length: 0\r\n\r\n`,
  "a folded line": `${OK}x: a\r\n b\r\ncontent-length: 0\r\n\r\n`,
  "a space before the colon": `${OK}content-length : 0\r\n\r\n`,
  "a line without a colon": `${OK}nonsense\r\n\r\n`,
  "length and chunks": `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  "two lengths": `${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`,
  "a list of lengths": `${OK}content-length: 5, 5\r\n\r\nhello`,
  "a length with a sign": `${OK}content-length: +5\r\n\r\nhello`,
  "a negative length": `${OK}content-length: -1\r\n\r\n`,
  "a hexadecimal length": `${OK}content-length: 0x5\r\n\r\nhello`,
  "a length beyond all numbers": `${OK}content-length: 99999999999999999999\r\n\r\n`,
  "a transfer coding beside chunked": `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  "chunked twice": `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  "chunked that is not the last": `${OK}transfer-encoding: chunked, x\r\n\r\n0\r\n\r\n`,
  "another version": "HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
  "no HTTP at all": "220 mail.example ESMTP\r\n",
  "a status of two digits": "HTTP/1.1 99 x\r\ncontent-length: 0\r\n\r\n",
  "a status of four digits": "HTTP/1.1 2000 x\r\ncontent-length: 0\r\n\r\n",
  "an interim response with a length": "HTTP/1.1 103 x\r\ncontent-length: 3\r\n\r\nabc",
  "another protocol that nobody asked for":
    "HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
  "a flood of fields": `${OK}${"a: b\r\n".repeat(200)}\r\n`,
  "a field too long": `${OK}a: ${"b".repeat(10_000)}\r\n\r\n`,
  "a status line too long": `HTTP/1.1 200 ${"b".repeat(10_000)}\r\n\r\n`,
  "a head too large": `${OK}${`a: ${"b".repeat(8000)}\r\n`.repeat(10)}\r\n`,
  "a length where an interim response is cut":
    "HTTP/1.1 100 x\r\ntransfer-encoding: chunked\r\n\r\n",
};

for (const [title, text] of Object.entries(BAD_HEADS)) {
  simTest(
    `a response with ${title}: an error of the protocol`,
    (group) =>
      attacked(group, saying(text), async (client) => {
        await assert.rejects(client.request("/"), failedIn("head", "protocol"));
      }),
    [1],
  );
}

const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

const BAD_BODIES: Readonly<Record<string, string>> = {
  "a chunk's size that is none": `${CHUNKED}zz\r\nhello\r\n0\r\n\r\n`,
  "a chunk's size with a sign": `${CHUNKED}+5\r\nhello\r\n0\r\n\r\n`,
  "a chunk's size beyond all numbers": `${CHUNKED}${"f".repeat(17)}\r\nhello`,
  "a chunk that is longer than its size": `${CHUNKED}3\r\nhello\r\n0\r\n\r\n`,
  "a bare LF behind a chunk's size": `${CHUNKED}5\nhello\r\n0\r\n\r\n`,
  "extensions without end": `${CHUNKED}5;${"a=b;".repeat(3000)}`,
  "extensions that are many small ones": `${CHUNKED}${`1;${"a".repeat(100)}\r\nx\r\n`.repeat(100)}`,
  "trailers without end": `${CHUNKED}0\r\n${"a: b\r\n".repeat(5000)}`,
  "a length among the trailers": `${CHUNKED}0\r\ncontent-length: 5\r\n\r\n`,
  "a NUL among the trailers": `${CHUNKED}0\r\na: \0\r\n\r\n`,
};

for (const [title, text] of Object.entries(BAD_BODIES)) {
  simTest(
    `a body with ${title}: an error of the protocol`,
    (group) =>
      attacked(group, saying(text), async (client) => {
        await assert.rejects(client.request("/"), failedIn("body", "protocol"));
      }),
    [1],
  );
}

// What comes behind a response -------------------------------------------------------------------------------------------

const SMUGGLED = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";

const TAILS: Readonly<Record<string, readonly [method: string, status: number, first: string]>> = {
  "a whole response behind another": ["GET", 200, `${OK}content-length: 2\r\n\r\nok${SMUGGLED}`],
  "a whole response behind chunks": ["GET", 200, `${CHUNKED}2\r\nok\r\n0\r\n\r\n${SMUGGLED}`],
  "a body in answer to HEAD": [
    "HEAD",
    200,
    `${OK}content-length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  "a body of a 204": ["GET", 204, `HTTP/1.1 204 x\r\n\r\n${SMUGGLED}`],
  "a body of a 304": [
    "GET",
    304,
    `HTTP/1.1 304 x\r\ncontent-length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  "a byte behind a response": ["GET", 200, `${OK}content-length: 2\r\n\r\nok\n`],
};

for (const [title, [method, status, text]] of Object.entries(TAILS)) {
  simTest(`${title}: it is never the answer to the next request`, (group) =>
    attacked(group, saying(text), async (client) => {
      const response = await client.request("/", { method });
      assert.equal(response.status, status);
      assert.equal(response.text(), method === "GET" && status === 200 ? "ok" : "");
    }),
  );
}

for (const framing of ["content-length: 5", "transfer-encoding: chunked"]) {
  simTest(
    `a 204 with ${framing}: what may come late is not the answer to the next request`,
    (group) =>
      attacked(
        group,
        async (peer) => {
          await peer.request();
          await peer.send(`HTTP/1.1 204 x\r\n${framing}\r\n\r\n`);
          await peer.send(SMUGGLED);
          await peer.request();
        },
        async (client) => {
          assert.equal((await client.request("/")).status, 204);
        },
      ),
  );
}

simTest("a response that comes while nobody has asked: the connection is not used again", (group) =>
  attacked(
    group,
    async (peer) => {
      await peer.request();
      await peer.answer("ok");
      await sleep(10);
      await peer.send(SMUGGLED);
      await peer.request();
    },
    async (client) => {
      assert.equal((await client.request("/")).text(), "ok");
      assert.equal(client.statistics().connectionsIdle, 1);
      await sleep(100);
      assert.equal(client.statistics().connectionsIdle, 0);
    },
  ),
);

simTest(
  "a response behind a large one that was read late: it is never the answer to the next request",
  (group) =>
    attacked(
      group,
      async (peer) => {
        await peer.request();
        await peer.send(`${OK}content-length: 200000\r\n\r\n${"a".repeat(200_000)}${SMUGGLED}`);
        await peer.request();
      },
      async (client) => {
        const response = await client.fetch("/");
        await sleep(100);
        assert.equal((await response.bytes()).length, 200_000);
        await sleep(100);
      },
    ),
);

// Without end ------------------------------------------------------------------------------------------------------------

async function forever(peer: RawPeer, text: string): Promise<void> {
  for (;;) await peer.send(text);
}

simTest("interim responses without end: an error after 32", (group) =>
  attacked(
    group,
    async (peer) => {
      await peer.request();
      await forever(peer, "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
    },
    async (client) => {
      let told = 0;
      const response = client.request("/", { onInformational: () => void told++ });
      await assert.rejects(response, failedIn("head", "protocol"));
      assert.equal(told, 32);
    },
  ),
);

simTest("a head without end, a byte a second: an error after headMs, however much comes", (group) =>
  attacked(
    group,
    async (peer) => {
      await peer.request();
      await peer.send(OK);
      for (;;) {
        await sleep(1000);
        await peer.send("a");
      }
    },
    async (client) => {
      const before = now();
      await assert.rejects(client.request("/"), failedIn("head", "timeout"));
      assert.ok(now() - before >= 10_000 && now() - before < 13_000, `${now() - before}`);
    },
    { timeouts: { headMs: 10_000 } },
  ),
);

simTest(
  "a body, a byte a second: what it may take in all is the scope's affair, and a pause longer than bodyMs an error",
  (group) =>
    attacked(
      group,
      async (peer) => {
        await peer.request();
        await peer.send(`${OK}content-length: 100\r\n\r\n`);
        for (let count = 0; count < 60; count++) {
          await sleep(1000);
          await peer.send("a");
        }
        await peer.request();
      },
      async (client) => {
        const response = await client.fetch("/");
        const reader = response.bodyStream;
        assert.ok(reader !== null);
        await assert.rejects(
          failAfter(20_000, async () => {
            for (;;) await reader.receive();
          }),
          TimeoutError,
        );
        await assert.rejects(
          async () => {
            for (;;) await reader.receive();
          },
          failedIn("body", "timeout"),
        );
        response.close();
      },
      { timeouts: { bodyMs: 5000 } },
    ),
);

simTest("a server that takes nothing of a request: an error after writeMs", (group) =>
  attacked(
    group,
    (peer) => sleep(60_000 + peer.number),
    async (client, server) => {
      const before = now();
      const body = new Uint8Array(50_000_000);
      await assert.rejects(
        client.request("/", { method: "POST", body }),
        failedIn("send", "timeout"),
      );
      assert.ok(now() - before >= 5000 && now() - before < 7000, `${now() - before}`);
      await sleep(60_000);
      assert.equal(server.open, 0);
    },
    { timeouts: { writeMs: 5000 } },
  ),
);

// Cut --------------------------------------------------------------------------------------------------------------------

const CUTS: Readonly<Record<string, readonly [text: string, phase: string]>> = {
  "nothing at all": ["", "head"],
  "half a head": [`${OK}content-le`, "head"],
  "half a body": [`${OK}content-length: 10\r\n\r\nhello`, "body"],
  "half a chunk": [`${CHUNKED}a\r\nhello`, "body"],
  "chunks without a last one": [`${CHUNKED}5\r\nhello\r\n`, "body"],
  "half the trailers": [`${CHUNKED}5\r\nhello\r\n0\r\na: b\r\n`, "body"],
};

for (const [title, [text, phase]] of Object.entries(CUTS)) {
  simTest(`${title}, and then the end: the response is cut, and not taken for whole`, (group) =>
    attacked(
      group,
      async (peer) => {
        await peer.request();
        await peer.send(text);
      },
      async (client) => {
        await assert.rejects(client.request("/"), failedIn(phase, "disconnected"));
      },
    ),
  );
}

// Many small things ------------------------------------------------------------------------------------------------------

test("half a million chunks of a byte: taken in a time that grows with them, and no more memory than they have", async () => {
  await run(
    async (group) => {
      const chunks = "1\r\na\r\n".repeat(10_000);
      const server = await rawServer(group, async (peer) => {
        await peer.request();
        await peer.send(CHUNKED);
        for (let count = 0; count < 50; count++) await peer.send(chunks);
        await peer.send("0\r\n\r\n");
        await peer.request();
      });
      await using client = openHttpClient({ base: server.url });
      const { bytes } = await client.request("/");
      assert.equal(bytes.length, 500_000);
      assert.ok(bytes.buffer.byteLength <= 1_048_576, `${bytes.buffer.byteLength}`);
    },
    { backend: simulator({ seed: 1 }) },
  );
});

simTest("a body that comes byte by byte", async (group) => {
  const server = await rawServer(group, async (peer) => {
    await peer.request();
    for (const byte of `${OK}content-length: 2000\r\n\r\n${"a".repeat(2000)}`) {
      await peer.send(byte);
      await sleep(1);
    }
    await peer.request();
  });
  await using client = openHttpClient({ base: server.url });
  const { bytes } = await client.request("/");
  assert.equal(bytes.length, 2000);
  assert.ok(bytes.buffer.byteLength <= 8192, `${bytes.buffer.byteLength}`);
});

simTest(
  "errors name the request, without credentials, and no more of what came than a few characters",
  async (group) => {
    const server = await rawServer(group, saying(`${OK}x: ${"secret".repeat(100)}\0\r\n\r\n`));
    await using client = openHttpClient();
    const url = server.url.replace("://", "://user:pass@");
    await assert.rejects(client.request(`${url}path?query`), (error) => {
      assert.ok(error instanceof RequestFailedError);
      assert.match(
        error.message,
        /^GET http:\/\/127\.0\.0\.1:\d+\/path\?query: the response breaks HTTP/,
      );
      assert.doesNotMatch(error.message, /pass/);
      assert.ok(error.message.length < 300);
      return true;
    });
  },
);
