/** Responses that nobody reads to their end or closes: what becomes of their connections, and who is told. */
import assert from "node:assert/strict";
import { moveOnAfter, now, sleep, type TaskGroup, taskGroup } from "arborio";
import { compressNowait } from "arborio/lowlevel";
import { simTest } from "../connection/raw-client.test.kit.ts";
import type { ClientResponse } from "./client-response.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import { rawServer } from "./raw-server.test.kit.ts";
import { encode } from "./uploads.test.kit.ts";
import { warningsOf } from "./warnings.test.kit.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const PACKED = compressNowait("gzip", encode("a".repeat(5)));

/** Announces much, and sends five bytes a second of it; `/packed` in gzip. */
async function slowServer(group: TaskGroup): Promise<string> {
  const { url } = await rawServer(group, async (peer) => {
    for (let head = await peer.request(); head !== null; head = await peer.request()) {
      if (head.startsWith("GET /packed")) {
        const fields = "content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n";
        await peer.send(`${OK}${fields}${PACKED.length.toString(16)}\r\n`);
        await peer.stream.send(PACKED);
        await sleep(100_000);
        return;
      }
      await peer.send(`${OK}content-length: 100000\r\n\r\n`);
      for (let sent = 0; sent < 100_000; sent += 5) {
        await peer.send("hello");
        await sleep(1000);
      }
    }
  });
  return url;
}

async function connectionsOf(client: HttpClient): Promise<number> {
  await sleep(3000);
  return client.statistics().connectionsOpen;
}

const FORGETTING: Readonly<Record<string, (response: ClientResponse) => unknown>> = {
  "that nobody looked at": () => null,
  "whose stream was asked for": (response) => response.bodyStream,
  "of which a part was read": (response) => response.bodyStream?.receive(),
  "whose web stream was asked for": (response) => response.body,
  "of which a part was read as a web stream": (response) => response.body?.getReader().read(),
  "that was cloned": (response) => void response.clone(),
};

for (const path of ["/path", "/packed"]) {
  for (const [title, use] of Object.entries(FORGETTING)) {
    simTest(
      `a response of ${path} ${title}, and is forgotten: a warning when its task ends, and its connection is closed`,
      async (group) => {
        await using client = openHttpClient({ base: await slowServer(group) });
        const warnings = await warningsOf(() =>
          taskGroup(async (inner) => {
            inner.startSoon(async () => {
              await use(await client.fetch(path));
            });
          }),
        );
        assert.equal(warnings.length, 1);
        assert.match(
          warnings[0] as string,
          new RegExp(`GET http://127.0.0.1:\\d+${path}: the task that fetched it has ended`),
        );
        assert.equal(await connectionsOf(client), 0);
      },
    );
  }
}

const LEAVING: Readonly<Record<string, (response: ClientResponse) => unknown>> = {
  "close()": (response) => response.close(),
  "body.cancel()": (response) => response.body?.cancel(),
  "a reader that cancels": async (response) => {
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
  },
  "for await over the web stream, left early": async (response) => {
    for await (const piece of response.body ?? []) if (piece.length > 0) break;
  },
  "a copy whose body is cancelled": (response) =>
    new Response(response.body, response).body?.cancel(),
  "clones whose bodies are cancelled": async (response) => {
    const clone = response.clone();
    await Promise.all([response.body?.cancel(), clone.body?.cancel()]);
  },
  "a pipe whose other end fails": (response) =>
    response.body
      ?.pipeTo(
        new WritableStream({
          write() {
            throw new Error("full");
          },
        }),
      )
      .catch(() => {}),
  "text() that is cancelled": (response) => moveOnAfter(500, () => response.text()),
};

for (const path of ["/path", "/packed"]) {
  for (const [title, leave] of Object.entries(LEAVING)) {
    simTest(
      `a response of ${path} that is left by ${title} gives its connection back`,
      async (group) => {
        await using client = openHttpClient({ base: await slowServer(group) });
        const warnings = await warningsOf(async () => {
          await leave(await client.fetch(path));
          assert.equal(await connectionsOf(client), 0);
        });
        assert.deepEqual(warnings, []);
      },
    );
  }
}

simTest(
  "requests that wait for connections whose responses nobody reads: somebody is told, once",
  async (group) => {
    const base = await slowServer(group);
    await using client = openHttpClient({ base, limits: { connectionsMax: 2 } });
    const told = await warningsOf((warnings) =>
      taskGroup(async (inner) => {
        const first = await client.fetch("/first");
        const second = await client.fetch("/second");
        const begun = now();
        const third = inner.startSoon(async () => {
          using response = await client.fetch("/third");
          assert.equal(response.status, 200);
          return now() - begun;
        });
        await sleep(9000);
        assert.deepEqual(warnings, []);
        await sleep(4000);
        assert.equal(warnings.length, 1);
        await sleep(60_000);
        second.close();
        assert.ok((await third.result()) >= 73_000);
        first.close();
      }),
    );
    assert.equal(told.length, 1);
    assert.match(
      told[0] as string,
      /^GET http:\/\/127.0.0.1:\d+\/(first|second): for a while nobody has read its response, .* other requests \(1\) wait/,
    );
  },
);

simTest(
  "nobody is told of responses that are read slowly, or that nobody waits for",
  async (group) => {
    const base = await slowServer(group);
    await using client = openHttpClient({ base, limits: { connectionsMax: 1 } });
    const warnings = await warningsOf(async () => {
      using response = await client.fetch("/path");
      await sleep(60_000);
      await taskGroup(async (inner) => {
        inner.startSoon(async () => (await client.fetch("/other")).close());
        for (let count = 0; count < 20; count++) {
          await response.bodyStream?.receive(5);
          await sleep(5000);
        }
        response.close();
      });
    });
    assert.deepEqual(warnings, []);
  },
);

simTest(
  "nobody is told of a response that somebody waits for, however long it takes",
  async (group) => {
    const { url } = await rawServer(group, async (peer) => {
      while ((await peer.request()) !== null) {
        await peer.send(`${OK}content-length: 10\r\n\r\nhello`);
        await sleep(30_000);
        await peer.send("hello");
      }
    });
    await using client = openHttpClient({ base: url, limits: { connectionsMax: 1 } });
    const warnings = await warningsOf(() =>
      taskGroup(async (inner) => {
        for (let count = 0; count < 2; count++) inner.startSoon(() => client.request("/"));
      }),
    );
    assert.deepEqual(warnings, []);
  },
);
