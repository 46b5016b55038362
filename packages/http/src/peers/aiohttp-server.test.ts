/** The client with aiohttp's server, whose parser and WebSockets are not ours. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { sleep } from "arborio";
import { type HttpClient, openHttpClient, WebSocketClosedError } from "@arborio/http";
import { AIOHTTP, peerTest, PYTHON } from "./peer-test.test.kit.ts";
import { Program } from "./program.test.kit.ts";

/** 64 KiB of numbers: the same as the server makes. */
const PIECE = new TextEncoder().encode(
  Array.from({ length: 8192 }, (_, at) => `${String((at * 7919) % 1e7).padStart(7, "0")} `).join(
    "",
  ),
);
const PIECES = 64;

const SERVER = `
import asyncio, hashlib, json
from aiohttp import web, WSMsgType

PIECE = b"".join(b"%07d " % (at * 7919 % 10**7) for at in range(8192))

async def echo(request):
    body = await request.read()
    return web.json_response({
        "method": request.method, "query": dict(request.query), "type": request.content_type,
        "body": body.decode("utf-8", "replace"), "cookies": dict(request.cookies),
        "auth": request.headers.get("authorization"), "version": list(request.version),
    })

async def form(request):
    data = await request.post()
    return web.json_response([[name, value if isinstance(value, str)
        else [value.filename, value.content_type, value.file.read().decode()]] for name, value in data.items()])

async def digest(request):
    sha = hashlib.sha256()
    async for chunk in request.content.iter_chunked(65536):
        sha.update(chunk)
    return web.Response(text=sha.hexdigest())

async def stream(request):
    response = web.StreamResponse()
    if "length" in request.query:
        response.content_length = ${PIECE.length * PIECES}
    if "compress" in request.query:
        response.enable_compression(web.ContentCoding[request.query["compress"]])
    await response.prepare(request)
    for _ in range(${PIECES}):
        await response.write(PIECE)
    return response

async def broken(request):
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"the beginning")
    request.transport.abort()
    return response

async def login(request):
    response = web.HTTPFound("/echo?after=1")
    response.set_cookie("session", "abc", httponly=True)
    response.set_cookie("other", "a b", path="/elsewhere")
    return response

async def socket(request):
    socket = web.WebSocketResponse(protocols=["lines"], compress=True)
    await socket.prepare(request)
    async for message in socket:
        if message.type == WSMsgType.TEXT and message.data == "close":
            await socket.close(code=4003, message=b"as you say")
        elif message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket

async def main():
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/echo", echo)
    app.router.add_post("/form", form)
    app.router.add_put("/digest", digest)
    app.router.add_get("/stream", stream)
    app.router.add_get("/broken", broken)
    app.router.add_get("/login", login)
    app.router.add_get("/socket", socket)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("port", runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
`;

function clientTest(title: string, body: (client: HttpClient) => Promise<void>): void {
  peerTest([AIOHTTP], `aiohttp's server: ${title}`, async () => {
    using program = new Program(PYTHON, ["-c", SERVER]);
    const [, port] = await program.until(/^port (\d+)$/m);
    await using client = openHttpClient({ base: `http://127.0.0.1:${port}/`, cookies: true });
    await body(client);
  });
}

interface Echo {
  readonly method: string;
  readonly query: Record<string, string>;
  readonly type: string;
  readonly body: string;
  readonly cookies: Record<string, string>;
  readonly auth: string | null;
  readonly version: number[];
}

clientTest("requests of all kinds, on one connection", async (client) => {
  const json = async (...request: Parameters<HttpClient["request"]>): Promise<Echo> =>
    (await client.request(...request)).json() as Echo;
  const get = await json("/echo?a=1", { query: { b: "ü&" } });
  assert.deepEqual(get.query, { a: "1", b: "ü&" });
  assert.deepEqual(get.version, [1, 1]);
  const post = await json("/echo", { method: "POST", json: { hello: "wörld" } });
  assert.deepEqual([post.type, post.body], ["application/json", '{"hello":"wörld"}']);
  const put = await json("/echo", {
    method: "PUT",
    body: async (sink) => {
      for (const word of ["one ", "two ", "three"]) await sink.send(word);
    },
  });
  assert.equal(put.body, "one two three");
  const basic = await json("/echo", { auth: { user: "ann", password: "pä:ss" } });
  assert.equal(basic.auth, `Basic ${Buffer.from("ann:pä:ss").toString("base64")}`);
  assert.equal((await client.request("/echo", { method: "HEAD" })).bytes.length, 0);
  assert.equal((await client.request("/nowhere")).status, 404);
  assert.equal(client.statistics().connectionsOpened, 1);
});

clientTest("forms, with files", async (client) => {
  const plain = await client.request("/form", { method: "POST", form: { name: "a b", to: "ü" } });
  assert.deepEqual(plain.json(), [
    ["name", "a b"],
    ["to", "ü"],
  ]);
  const form = new FormData();
  form.set("name", "value");
  form.set("file", new File(["content ü"], "nä.csv", { type: "text/csv" }));
  const multipart = await client.request("/form", { method: "POST", form });
  assert.deepEqual(multipart.json(), [
    ["name", "value"],
    ["file", ["nä.csv", "text/csv", "content ü"]],
  ]);
});

clientTest("large bodies, both ways, whole, in chunks and compressed", async (client) => {
  const hash = createHash("sha256");
  for (let piece = 0; piece < PIECES; piece++) hash.update(PIECE);
  const wanted = hash.digest("hex");
  for (const headers of [{}, { "content-length": String(PIECE.length * PIECES) }]) {
    const response = await client.request("/digest", {
      method: "PUT",
      headers,
      body: async (sink) => {
        for (let piece = 0; piece < PIECES; piece++) await sink.send(PIECE);
      },
    });
    assert.equal(response.text(), wanted);
  }
  for (const query of ["", "?length", "?compress=gzip", "?compress=deflate"]) {
    using response = await client.fetch(`/stream${query}`);
    const came = createHash("sha256");
    for await (const piece of response.bodyStream ?? []) came.update(piece);
    assert.equal(came.digest("hex"), wanted, query);
  }
});

clientTest("a response that is cut, and one that nobody reads", async (client) => {
  using response = await client.fetch("/broken");
  await assert.rejects(response.text(), /ended before all of the response had come/);
  {
    using _unread = await client.fetch("/stream");
  }
  await sleep(10);
  assert.equal((await client.request("/echo")).status, 200);
});

clientTest("a redirect, and cookies", async (client) => {
  const response = await client.request("/login");
  assert.equal(new URL(response.url).search, "?after=1");
  assert.deepEqual((response.json() as Echo).cookies, { session: "abc" });
});

clientTest("WebSockets, compressed", async (client) => {
  await using socket = await client.webSocket("/socket", {
    protocols: ["lines"],
    compression: { messageBytesMin: 0 },
  });
  assert.equal(socket.protocol, "lines");
  for (const text of ["", "hello", "wörld ".repeat(5000), "x".repeat(1_000_000)]) {
    await socket.send(text);
    assert.equal(await socket.receive(), text);
  }
  await socket.send(PIECE);
  assert.deepEqual(await socket.receive(), PIECE);
  assert.ok((await socket.ping()) >= 0);
  await socket.send("close");
  const error = await socket.receive().catch((caught: unknown) => caught);
  assert.ok(error instanceof WebSocketClosedError && error.wasClean);
  assert.deepEqual([error.code, error.reason], [4003, "as you say"]);
});
