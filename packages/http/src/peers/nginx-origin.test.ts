/** The client with nginx: as an origin that serves files, and as a proxy in front of a server of ours. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failAfter, moveOnAfter, sleep, taskGroup } from "arborio";
import {
  eventStreamResponse,
  HttpResponse,
  openHttpClient,
  openServer,
  RequestFailedError,
  upgradeWebSocket,
} from "@arborio/http";
import { authority, identity } from "../server/certificates.test.kit.ts";
import { freePort, Nginx } from "./nginx.test.kit.ts";
import { NGINX, peerTest } from "./peer-test.test.kit.ts";

const LARGE_BYTES = 8_000_000;

/** A folder with files, removed at the end. */
function openFolder(): { path: string; large: Uint8Array } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "arborio-origin-"));
  const large = randomBytes(LARGE_BYTES);
  writeFileSync(join(path, "large.bin"), large);
  writeFileSync(join(path, "text.html"), "compressible ".repeat(10_000));
  return { path, large, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

peerTest([NGINX], "nginx as origin: files, ranges, conditions, compression", async () => {
  using folder = openFolder();
  using nginx = await Nginx.open(
    `root ${folder.path}; gzip on; gzip_types *; gzip_proxied any; keepalive_timeout 60s 20s;`,
  );
  await using client = openHttpClient({ base: nginx.url });
  const hash = createHash("sha256");
  {
    using response = await client.fetch("/large.bin", {
      headers: { "accept-encoding": "identity" },
    });
    for await (const piece of response.bodyStream ?? []) hash.update(piece);
  }
  assert.equal(hash.digest("hex"), createHash("sha256").update(folder.large).digest("hex"));
  const part = await client.request("/large.bin", { headers: { range: "bytes=1000-1999" } });
  assert.equal(part.status, 206);
  assert.deepEqual(part.bytes, new Uint8Array(folder.large.subarray(1000, 2000)));
  const text = await client.request("/text.html");
  assert.equal(text.text(), "compressible ".repeat(10_000));
  assert.ok(text.bytesReceived < 10_000, `${text.bytesReceived}: it came compressed`);
  const etag = text.headers.get("etag") ?? "";
  const same = await client.request("/text.html", { headers: { "if-none-match": etag } });
  assert.deepEqual([same.status, same.bytes.length], [304, 0]);
  const head = await client.request("/large.bin", {
    method: "HEAD",
    headers: { "accept-encoding": "identity" },
  });
  assert.deepEqual([head.headers.get("content-length"), head.bytes.length], [`${LARGE_BYTES}`, 0]);
  assert.equal((await client.request("/none")).status, 404);
  assert.equal((await client.request("/text.html", { method: "POST", body: "x" })).status, 405);
  assert.equal(client.statistics().connectionsOpened, 1);
});

peerTest(
  [NGINX],
  "nginx as origin: a body that is too large is refused while it is sent",
  async () => {
    using nginx = await Nginx.open(
      "client_max_body_size 1k; location / { proxy_pass http://127.0.0.1:1; }",
    );
    await using client = openHttpClient({ base: nginx.url });
    const body = new Uint8Array(LARGE_BYTES);
    const announced = await client.request("/", { method: "PUT", body });
    assert.equal(announced.status, 413);
    const asked = await client.request("/", { method: "PUT", body, expectContinue: true });
    assert.equal(asked.status, 413);
    assert.equal((await client.request("/")).status, 502);
  },
);

peerTest([NGINX], "nginx as origin: connections that it ends after so many requests", async () => {
  using folder = openFolder();
  using nginx = await Nginx.open(`root ${folder.path}; keepalive_requests 3;`);
  await using client = openHttpClient({ base: nginx.url });
  for (let count = 0; count < 10; count++)
    assert.equal((await client.request("/text.html")).status, 200);
  assert.equal(client.statistics().connectionsOpened, 4);
});

peerTest(
  [NGINX],
  "nginx as origin: connections that it says it will end are left before",
  async () => {
    using folder = openFolder();
    using nginx = await Nginx.open(`root ${folder.path}; keepalive_timeout 60s 2s;`);
    await using client = openHttpClient({ base: nginx.url });
    await client.request("/text.html");
    for (let count = 0; count < 2; count++) {
      const { connectionsOpened } = client.statistics();
      await sleep(1100);
      await client.request("/text.html");
      assert.equal(client.statistics().connectionsOpened, connectionsOpened + 1);
    }
    assert.equal(client.statistics().requestsReplayed, 0);
  },
);

peerTest(
  [NGINX],
  "nginx as origin: connections that it has ended while this program computed are not used",
  async () => {
    using nginx = await Nginx.open(`keepalive_timeout 1s; location / { return 200 "hello"; }`);
    await using client = openHttpClient({ base: nginx.url });
    // Not to be sent twice.
    const ask = () => client.request("/", { method: "POST", body: "text" });
    assert.equal((await ask()).text(), "hello");
    const until = performance.now() + 2500;
    while (performance.now() < until);
    assert.equal((await ask()).text(), "hello");
    const { connectionsOpened, requestsReplayed } = client.statistics();
    assert.deepEqual([connectionsOpened, requestsReplayed], [2, 0]);
  },
);

peerTest(
  [NGINX],
  "nginx as origin: many requests, given up at any moment, over few connections",
  async () => {
    using folder = openFolder();
    using nginx = await Nginx.open(
      `root ${folder.path}; keepalive_requests 7; location = /said { return 200 "said"; }`,
    );
    const client = openHttpClient({ base: nginx.url, limits: { connectionsMax: 4 } });
    let whole = 0;
    await taskGroup(async (group) => {
      for (let task = 0; task < 8; task++) {
        group.startSoon(async () => {
          for (let count = 0; count < 12; count++) {
            const isPost = (task + count) % 3 === 0;
            await moveOnAfter((task * count) % 4 === 1 ? count : Infinity, async () => {
              using response = isPost
                ? await client.fetch("/said", { method: "POST", body: "x".repeat(count * 2000) })
                : await client.fetch("/text.html");
              if (count % 5 === 0) return;
              assert.equal((await response.text()).length, isPost ? 4 : 130_000);
              whole += 1;
            });
            assert.ok(client.statistics().connectionsOpen <= 4);
          }
        });
      }
    });
    assert.ok(whole > 40, `${whole}`);
    const { connectionsConnecting, requestsWaiting } = client.statistics();
    assert.deepEqual([connectionsConnecting, requestsWaiting], [0, 0]);
    // What nobody wanted may be on its way.
    await failAfter(10_000, async () => {
      while (client.statistics().connectionsActive > 0) await sleep(10);
    });
    await client[Symbol.asyncDispose]();
    assert.equal(client.statistics().connectionsOpen, 0);
  },
);

peerTest([NGINX], "nginx as origin: on a Unix socket", async () => {
  using folder = openFolder();
  const socketPath = join(folder.path, "socket");
  using nginx = await Nginx.open(`listen unix:${socketPath}; root ${folder.path};`);
  await using client = openHttpClient({ socketPath });
  for (const host of ["one.test", "two.test"]) {
    const response = await client.request(`http://${host}/text.html`);
    assert.equal(response.bytes.length, 130_000);
  }
  assert.equal((await client.request(nginx.url, { socketPath: null })).status, 403);
});

peerTest([NGINX], "nginx as origin: HTTPS, trusted and not", async () => {
  using folder = openFolder();
  writeFileSync(join(folder.path, "certificate.pem"), identity.certificate as string);
  writeFileSync(join(folder.path, "key.pem"), identity.privateKey as string);
  const port = await freePort();
  using _nginx = await Nginx.open(
    `listen 127.0.0.1:${port} ssl; root ${folder.path};
     ssl_certificate ${folder.path}/certificate.pem; ssl_certificate_key ${folder.path}/key.pem;`,
  );
  const url = `https://localhost:${port}/text.html`;
  await using client = openHttpClient({ tls: { trusted: authority } });
  assert.equal((await client.request(url)).bytes.length, 130_000);
  assert.equal((await client.request(url)).status, 200);
  assert.equal(client.statistics().connectionsOpened, 1);
  await using stranger = openHttpClient();
  await assert.rejects(stranger.request(url), (error) => {
    assert.ok(error instanceof RequestFailedError, String(error));
    assert.deepEqual([error.phase, error.reason], ["tls", "certificate"]);
    return true;
  });
});

peerTest([NGINX], "nginx as proxy: streams, events and WebSockets through it", async (group) => {
  await using server = await openServer(
    async (request, context) => {
      switch (new URL(request.url).pathname) {
        case "/events":
          return eventStreamResponse(request, async (events) => {
            for (let id = 1; id <= 3; id++) {
              await events.send({ id: `${id}`, data: `event ${id}` });
              await sleep(5);
            }
          });
        case "/socket":
          return upgradeWebSocket(
            request,
            context,
            async (socket) => {
              for await (const message of socket) await socket.send(message);
            },
            { compression: { messageBytesMin: 0 } },
          );
        default: {
          const hash = createHash("sha256");
          for await (const piece of (request as Request & { bodyStream: AsyncIterable<Uint8Array> })
            .bodyStream)
            hash.update(piece);
          return new HttpResponse(hash.digest("hex"));
        }
      }
    },
    { port: 0, host: "127.0.0.1", group, graceMs: 0, limits: { bodyBytesMax: LARGE_BYTES } },
  );
  const { port } = new URL(server.url);
  using nginx = await Nginx.open(
    `location / {
       proxy_pass http://127.0.0.1:${port}; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
       proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgraded;
     }`,
    "map $http_upgrade $upgraded { default upgrade; '' ''; }",
  );
  await using client = openHttpClient({ base: nginx.url });
  const large = randomBytes(LARGE_BYTES);
  const digest = await client.request("/", {
    method: "POST",
    body: async (sink) => {
      for (let at = 0; at < large.length; at += 65_536)
        await sink.send(large.subarray(at, at + 65_536));
    },
  });
  assert.equal(digest.text(), createHash("sha256").update(large).digest("hex"));
  const seen: string[] = [];
  for await (const { data } of client.events("/events", { retryMs: 0 })) {
    seen.push(data);
    if (seen.length === 4) break;
  }
  assert.deepEqual(seen, ["event 1", "event 2", "event 3", "event 1"]);
  await using socket = await client.webSocket("/socket", { compression: { messageBytesMin: 0 } });
  for (const text of ["hello", "wörld ".repeat(20_000)]) {
    await socket.send(text);
    assert.equal(await socket.receive(), text);
  }
});
