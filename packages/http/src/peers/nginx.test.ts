/** The server behind nginx as its proxy, with curl as the client. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Event, sleep, type TaskGroup } from "arborio";
import { connectTcp } from "arborio/net";
import { BufferedByteStream } from "arborio/streams";
import { eventStreamResponse, type Handler, HttpError, HttpRequest } from "@arborio/http";
import { HttpResponse, openServer, type Server, type ServerOptions } from "@arborio/http";
import { curl } from "./curl.test.kit.ts";
import { Nginx } from "./nginx.test.kit.ts";
import { CURL, NGINX, peerTest } from "./peer-test.test.kit.ts";
import { Program, runProgram } from "./program.test.kit.ts";

const LARGE_BYTES = 12_000_000;

/** What makes nginx keep connections to a server. */
const KEEP_ALIVE = `proxy_http_version 1.1; proxy_set_header Connection "";`;

function proxyTest(title: string, body: (group: TaskGroup) => Promise<void>): void {
  peerTest([NGINX, CURL], `nginx: ${title}`, body);
}

function open(group: TaskGroup, handler: Handler, options: ServerOptions = {}): Promise<Server> {
  return openServer(handler, { port: 0, host: "127.0.0.1", group, graceMs: 0, ...options });
}

function upstream({ port }: Server): string {
  return `upstream app { server 127.0.0.1:${port}; keepalive 4; }`;
}

proxyTest("keeps one connection to the server for requests of many clients", async (group) => {
  const connections = new Set<number>();
  await using server = await open(group, async (request, { peer }) => {
    connections.add((peer as { port: number }).port);
    if (request.method === "POST") return new HttpResponse(`${(await request.text()).length}\n`);
    if (request.url.endsWith("/none")) return new HttpResponse(null, { status: 204 });
    return new HttpResponse("hello\n");
  });
  using nginx = await Nginx.open(
    `location / { proxy_pass http://app; ${KEEP_ALIVE} }`,
    upstream(server),
  );
  const large = { input: "y".repeat(5000) };
  assert.equal((await curl([nginx.url])).stdout, "hello\n");
  assert.match((await curl(["-I", nginx.url])).stdout, /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/);
  assert.equal((await curl(["-d", "x".repeat(1000), nginx.url])).stdout, "1000\n");
  assert.match((await curl(["-i", `${nginx.url}none`])).stdout, /^HTTP\/1.1 204 /);
  const upload = ["-T", "-", "-X", "POST", nginx.url];
  assert.equal((await curl(upload, large)).stdout, "5000\n");
  assert.equal(connections.size, 1);
});

proxyTest("a connection that has had its requests is not used again", async (group) => {
  const connections: string[] = [];
  await using server = await open(
    group,
    (_request, { peer }) => {
      connections.push(String((peer as { port: number }).port));
      return new HttpResponse("hello\n");
    },
    { limits: { requestsMax: 2 } },
  );
  using nginx = await Nginx.open(
    `location / { proxy_pass http://app; ${KEEP_ALIVE} }`,
    upstream(server),
  );
  for (let round = 0; round < 8; round++) assert.equal((await curl([nginx.url])).stdout, "hello\n");
  const [a, b, c, d] = [0, 2, 4, 6].map((index) => connections[index]);
  assert.deepEqual(connections, [a, a, b, b, c, c, d, d]);
  assert.equal(new Set(connections).size, 4);
});

proxyTest(
  "connections that the server has ended for idleness are not used again",
  async (group) => {
    let opened = 0;
    const connectionOpen = (): void => void (opened += 1);
    await using server = await open(group, () => new HttpResponse("hello\n"), {
      timeouts: { idleMs: 20 },
      trace: { connectionOpen },
    });
    using nginx = await Nginx.open(
      `location / { proxy_pass http://app; ${KEEP_ALIVE} }`,
      upstream(server),
    );
    for (let round = 0; round < 4; round++) {
      assert.equal((await curl([nginx.url])).stdout, "hello\n");
      // Not for the client's part: nginx would keep it for a minute.
      while (server.statistics().connectionsOpen > 0) await sleep(5);
      assert.equal(opened, round + 1);
    }
    // At the very moment too.
    for (let round = 0; round < 8; round++) {
      assert.equal((await curl([nginx.url])).stdout, "hello\n");
      await sleep(round * 5);
    }
  },
);

proxyTest("in HTTP/1.0, a body without length ends with its connection", async (group) => {
  await using server = await open(
    group,
    () =>
      new HttpResponse(async (sink) => {
        await sink.send("one\n");
        await sink.send("two\n");
      }),
  );
  using nginx = await Nginx.open(`location / { proxy_pass ${server.url}; }`);
  assert.equal((await curl([nginx.url])).stdout, "one\ntwo\n");
});

proxyTest("over a Unix socket", async (group) => {
  const folder = mkdtempSync(join(tmpdir(), "arborio-nginx-"));
  using _folder = { [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
  const path = join(folder, "app.sock");
  await using _server = await openServer((request) => new HttpResponse(request.url), {
    path,
    group,
    graceMs: 0,
  });
  using nginx = await Nginx.open(
    `location / { proxy_pass http://app; proxy_set_header Host site.test; ${KEEP_ALIVE} }`,
    `upstream app { server unix:${path}; keepalive 1; }`,
  );
  assert.equal((await curl([`${nginx.url}a?b`])).stdout, "http://site.test/a?b");
});

proxyTest("unbuffered, the client gets each piece when it was sent", async (group) => {
  const seen = new Event();
  await using server = await open(
    group,
    () =>
      new HttpResponse(async (sink) => {
        await sink.send("first\n");
        await seen.wait();
        await sink.send("second\n");
      }),
  );
  const rules = `${KEEP_ALIVE} proxy_buffering off;`;
  using nginx = await Nginx.open(`location / { proxy_pass ${server.url}; ${rules} }`);
  using client = new Program("curl", ["-q", "-sS", "-N", nginx.url]);
  await client.until(/first/);
  seen.set();
  assert.equal((await client.ended()).stdout, "first\nsecond\n");
});

proxyTest("buffered, the server is done while the client still reads", async (group) => {
  const done = new Event();
  await using server = await open(
    group,
    () =>
      new HttpResponse(async (sink) => {
        const piece = new Uint8Array(60_000);
        for (let sent = 0; sent < LARGE_BYTES; sent += piece.length) await sink.send(piece);
        done.set();
      }),
  );
  using nginx = await Nginx.open(`location / { proxy_pass ${server.url}; ${KEEP_ALIVE} }`);
  const args = ["-q", "-sS", "--limit-rate", "200k", "-o", "/dev/null", nginx.url];
  using client = new Program("curl", args);
  await done.wait();
  assert.ok(!client.hasEnded);
});

proxyTest("buffered, events pass all the same, since they ask for it", async (group) => {
  const seen = new Event();
  await using server = await open(group, (request) =>
    eventStreamResponse(request, async (events) => {
      await events.send({ data: "first" });
      await seen.wait();
      await events.send({ data: "second" });
    }),
  );
  using nginx = await Nginx.open(`location / { proxy_pass ${server.url}; ${KEEP_ALIVE} }`);
  using client = new Program("curl", ["-q", "-sS", "-N", nginx.url]);
  await client.until(/data: first/);
  seen.set();
  assert.equal((await client.ended()).stdout, "data: first\n\ndata: second\n\n");
});

for (const buffering of ["on", "off"]) {
  proxyTest(`a long upload, request buffering ${buffering}`, async (group) => {
    await using server = await open(group, async (request) => {
      assert.ok(request instanceof HttpRequest);
      request.bodyBytesMax = LARGE_BYTES;
      let bytes = 0;
      for await (const piece of request.bodyStream ?? []) bytes += piece.length;
      return HttpResponse.json({ bytes, announced: request.bodyBytes ?? null });
    });
    const rules = `${KEEP_ALIVE} proxy_request_buffering ${buffering};`;
    using nginx = await Nginx.open(`location / { proxy_pass ${server.url}; ${rules} }`);
    const { stdout } = await curl(["-T", "-", nginx.url], { input: new Uint8Array(LARGE_BYTES) });
    assert.deepEqual(JSON.parse(stdout), {
      bytes: LARGE_BYTES,
      announced: buffering === "on" ? LARGE_BYTES : null,
    });
  });
}

proxyTest("a refusal in the middle of an upload reaches the client", async (group) => {
  await using server = await open(group, () => {
    throw new HttpError(403, "not yours");
  });
  const rules = `${KEEP_ALIVE} proxy_request_buffering off;`;
  using nginx = await Nginx.open(`location / { proxy_pass ${server.url}; ${rules} }`);
  for (let round = 0; round < 3; round++) {
    const args = ["-q", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-T", "-", nginx.url];
    const { stdout } = await runProgram("curl", args, { input: new Uint8Array(LARGE_BYTES) });
    assert.equal(stdout, "403");
  }
});

proxyTest("a client that leaves ends its handler, whose cleanup runs", async (group) => {
  const [begun, cleaned] = [new Event(), new Event()];
  await using server = await open(group, async () => {
    begun.set();
    try {
      await sleep(60_000);
    } finally {
      cleaned.set();
    }
    return new HttpResponse("late");
  });
  using nginx = await Nginx.open(`location / { proxy_pass ${server.url}; ${KEEP_ALIVE} }`);
  using client = new Program("curl", ["-q", "-sS", nginx.url]);
  await begun.wait();
  client.signal("SIGKILL");
  await cleaned.wait();
});

proxyTest("tells who the client is, and is believed where it is trusted", async (group) => {
  const rules = `${KEEP_ALIVE} proxy_set_header Host internal.test;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;`;
  for (const trusted of [true, false]) {
    await using server = await open(
      group,
      (request, { client }) => HttpResponse.json([client.address, client.scheme, request.url]),
      trusted ? { trustProxies: ["127.0.0.0/30"] } : {},
    );
    using nginx = await Nginx.open(`location / { proxy_pass ${server.url}; ${rules} }`);
    // What the client itself says stands to the left of what nginx says.
    const forged = ["-H", "X-Forwarded-For: 6.6.6.6", "-H", "Host: site.test"];
    const { stdout } = await curl(["--interface", "127.0.0.9", ...forged, `${nginx.url}a`]);
    assert.deepEqual(
      JSON.parse(stdout),
      trusted
        ? ["127.0.0.9", "http", "http://site.test/a"]
        : ["127.0.0.1", "http", "http://internal.test/a"],
    );
  }
});

proxyTest("passes an upgrade on, and then bytes both ways", async (group) => {
  await using server = await open(group, (_request, context) => {
    if (!context.upgradeProtocols.includes("echo")) return new HttpResponse("plain");
    return context.upgrade(async (stream) => {
      for await (const bytes of stream) await stream.send(bytes);
      await stream.sendEof();
    });
  });
  const rules = `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;`;
  using nginx = await Nginx.open(`location / { proxy_pass ${server.url}; ${rules} }`);
  await using stream = new BufferedByteStream(
    await connectTcp("127.0.0.1", Number(new URL(nginx.url).port)),
  );
  const text = new TextEncoder();
  await stream.send(
    text.encode("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"),
  );
  const head = new TextDecoder().decode(await stream.receiveUntil(text.encode("\r\n\r\n"), 8192));
  assert.match(head, /^HTTP\/1\.1 101 /);
  await stream.send(text.encode("there"));
  assert.equal(new TextDecoder().decode(await stream.receiveExactly(5)), "there");
  assert.equal((await curl([nginx.url])).stdout, "plain");
});
