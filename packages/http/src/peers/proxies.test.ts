/** The client through proxies that are not ours: Squid (HTTP, HTTPS), Dante (SOCKS), with our server, or nginx, behind them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskGroup } from "arborio";
import {
  HttpResponse,
  openHttpClient,
  openServer,
  type ProxyLike,
  ProxyRefusedError,
  RequestFailedError,
  type Server,
  upgradeWebSocket,
} from "@arborio/http";
import { authority, identity } from "../server/certificates.test.kit.ts";
import { freePort, Nginx } from "./nginx.test.kit.ts";
import { NGINX, peerTest } from "./peer-test.test.kit.ts";
import { DANTE, ProxyProgram, SQUID, SSH } from "./proxy-program.test.kit.ts";

const CREDENTIALS = { user: "user", password: "password" };
const TLS = { trusted: authority };
const LARGE = "0123456789abcdef".repeat(250_000);

/** What the server was asked, and by which connections. */
interface Seen {
  readonly requests: { readonly url: string; readonly headers: Headers }[];
  readonly connections: Set<number>;
}

async function open(group: TaskGroup, isTls: boolean, seen: Seen): Promise<Server> {
  return await openServer(
    async (request, context) => {
      seen.requests.push({ url: request.url, headers: request.headers });
      seen.connections.add((context.peer as { port: number }).port);
      if (request.headers.has("upgrade")) {
        return upgradeWebSocket(request, context, async (socket) => {
          for await (const message of socket) await socket.send(message);
        });
      }
      return new HttpResponse(request.method === "POST" ? request.body : "hello");
    },
    {
      port: 0,
      host: "127.0.0.1",
      group,
      graceMs: 0,
      limits: { bodyBytesMax: 2 * LARGE.length },
      ...(isTls ? { tls: { identity } } : {}),
    },
  );
}

/** GET, and POST of a large body, to a server behind a proxy. */
async function exchange(url: string, proxy: ProxyLike): Promise<void> {
  await using client = openHttpClient({ proxy, tls: TLS });
  const hello = await client.request(url);
  assert.deepEqual([hello.status, hello.text()], [200, "hello"]);
  const large = await client.request(url, { method: "POST", body: LARGE });
  assert.ok(large.text() === LARGE);
}

peerTest([SQUID], "squid: requests of http: are forwarded", async (group) => {
  const seen: Seen = { requests: [], connections: new Set() };
  await using server = await open(group, false, seen);
  using squid = await ProxyProgram.openSquid();
  const [port] = squid.ports;
  await exchange(server.url, { url: `http://127.0.0.1:${port}`, credentials: CREDENTIALS });
  for (const { headers } of seen.requests) {
    assert.match(headers.get("via") ?? "", /squid/);
    assert.equal(headers.get("proxy-authorization"), null);
  }
  await using client = openHttpClient({ proxy: `http://user:wrong@127.0.0.1:${port}` });
  assert.equal((await client.request(server.url)).status, 407);
});

peerTest([SQUID], "squid: a tunnel for https:, one for several requests", async (group) => {
  const seen: Seen = { requests: [], connections: new Set() };
  await using server = await open(group, true, seen);
  using squid = await ProxyProgram.openSquid();
  const url = `http://127.0.0.1:${squid.ports[0]}`;
  await exchange(server.url, { url, credentials: CREDENTIALS });
  assert.equal(seen.connections.size, 1);
  for (const { headers } of seen.requests) {
    assert.equal(headers.get("via"), null);
    assert.equal(headers.get("proxy-authorization"), null);
  }
  await using client = openHttpClient({ tls: TLS });
  const cases: [proxy: ProxyLike, target: string, status: number][] = [
    [url, server.url, 407],
    [{ url, credentials: CREDENTIALS }, `https://127.0.0.1:${await freePort()}/`, 503],
  ];
  for (const [proxy, target, status] of cases) {
    await assert.rejects(client.request(target, { proxy }), (error) => {
      assert.ok(error instanceof RequestFailedError, String(error));
      assert.deepEqual([error.phase, error.reason], ["proxy", "refused-by-proxy"]);
      assert.ok(error.cause instanceof ProxyRefusedError);
      assert.equal(error.cause.status, status);
      if (status === 407) assert.match(error.cause.headers.get("proxy-authenticate") ?? "", /^Ba/);
      return true;
    });
  }
});

peerTest([SQUID], "squid: an HTTPS proxy, and TLS in TLS", async (group) => {
  const seen: Seen = { requests: [], connections: new Set() };
  await using plain = await open(group, false, seen);
  await using secure = await open(group, true, seen);
  using squid = await ProxyProgram.openSquid();
  const url = `https://127.0.0.1:${squid.ports[1]}`;
  const proxy = { url, credentials: CREDENTIALS, tls: TLS };
  await exchange(plain.url, proxy);
  await exchange(secure.url, proxy);
  await using client = openHttpClient({ proxy: { url, credentials: CREDENTIALS }, tls: TLS });
  await assert.rejects(client.request(secure.url), { phase: "proxy", reason: "certificate" });
});

peerTest([SQUID], "squid: WebSockets through tunnels", async (group) => {
  const seen: Seen = { requests: [], connections: new Set() };
  using squid = await ProxyProgram.openSquid();
  const url = `http://127.0.0.1:${squid.ports[0]}`;
  await using client = openHttpClient({ proxy: { url, credentials: CREDENTIALS }, tls: TLS });
  for (const isTls of [false, true]) {
    await using server = await open(group, isTls, seen);
    await using socket = await client.webSocket(server.url);
    await socket.send("hello");
    assert.equal(await socket.receive(), "hello");
    await socket.close();
  }
});

peerTest([SQUID, NGINX], "squid: a tunnel to nginx with TLS", async () => {
  using squid = await ProxyProgram.openSquid();
  const folder = mkdtempSync(join(tmpdir(), "arborio-nginx-tls-"));
  try {
    writeFileSync(join(folder, "certificate.pem"), identity.certificate);
    writeFileSync(join(folder, "key.pem"), identity.privateKey);
    const port = await freePort();
    using _nginx = await Nginx.open(`
      listen 127.0.0.1:${port} ssl;
      ssl_certificate ${folder}/certificate.pem;
      ssl_certificate_key ${folder}/key.pem;
      location / { return 200 "$scheme $ssl_server_name $ssl_alpn_protocol"; }
    `);
    const proxy = { url: `http://127.0.0.1:${squid.ports[0]}`, credentials: CREDENTIALS };
    await using client = openHttpClient({ proxy, tls: TLS });
    const response = await client.request(`https://127.0.0.1:${port}/`, {
      tls: { serverName: "example.test" },
    });
    assert.equal(response.text(), "https example.test http/1.1");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

// SOCKS4a it takes for SOCKS4, and connects to 0.0.0.1, for curl too.
peerTest([DANTE], "dante: SOCKS5 and SOCKS4, to http: and https:", async (group) => {
  using dante = await ProxyProgram.openDante();
  await throughSocks(group, dante, ["socks5", "socks5h", "socks4"]);
});

peerTest([SSH], "ssh -D: SOCKS of all kinds, to http: and https:", async (group) => {
  const { proxy, server } = await ProxyProgram.openSsh();
  using _server = server;
  using _proxy = proxy;
  await throughSocks(group, proxy, ["socks5", "socks5h", "socks4", "socks4a"]);
});

async function throughSocks(
  group: TaskGroup,
  { ports }: ProxyProgram,
  schemes: readonly string[],
): Promise<void> {
  const seen: Seen = { requests: [], connections: new Set() };
  await using plain = await open(group, false, seen);
  await using secure = await open(group, true, seen);
  await using client = openHttpClient({ tls: TLS });
  const nowhere = `http://127.0.0.1:${await freePort()}/`;
  for (const scheme of schemes) {
    const proxy = `${scheme}://127.0.0.1:${ports[0]}`;
    for (const { url } of [plain, secure])
      await exchange(url.replace("127.0.0.1", "localhost"), proxy);
    await assert.rejects(client.request(nowhere, { proxy }), (error) => {
      assert.ok(error instanceof RequestFailedError, String(error));
      assert.equal(error.phase, "proxy");
      // That of ssh just ends the connection.
      assert.match(error.reason, /^(refused-by-proxy|disconnected)$/);
      return true;
    });
  }
}
