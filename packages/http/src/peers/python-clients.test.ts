/** The server with the clients of Python: aiohttp's own parser in C, and httpx's, which is h11. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { sleep, type TaskGroup } from "arborio";
import { type Handler, HttpError, HttpRequest, HttpResponse, openServer } from "@arborio/http";
import { AIOHTTP, HTTPX, peerTest, PYTHON, type Tool } from "./peer-test.test.kit.ts";
import { Program } from "./program.test.kit.ts";

const LARGE_BYTES = 8_000_000;

/** What the server has seen. */
interface Facts {
  readonly connections: Set<number>;
  cleanedUp: number;
}

function handlerFor(facts: Facts): Handler {
  return async (request, { peer }) => {
    facts.connections.add((peer as { port: number }).port);
    assert.ok(request instanceof HttpRequest);
    request.bodyBytesMax = LARGE_BYTES;
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/json":
        return HttpResponse.json({
          got: await request.json(),
          type: request.headers.get("content-type"),
        });
      case "/form": {
        const form = await request.formData();
        const entries = await Promise.all(
          [...form].map(async ([name, value]) =>
            typeof value === "string" ? [name, value] : [name, value.name, await value.text()],
          ),
        );
        return HttpResponse.json(entries);
      }
      case "/digest": {
        const hash = createHash("sha256");
        for await (const piece of request.bodyStream ?? []) hash.update(piece);
        return HttpResponse.json({
          digest: hash.digest("hex"),
          announced: request.bodyBytes ?? null,
        });
      }
      case "/echo":
        return new HttpResponse(request.bodyStream);
      case "/stream":
        return new HttpResponse(async (sink) => {
          for (let line = 0; line < 1000; line++) await sink.send(`line ${line}\n`);
        });
      case "/broken":
        return new HttpResponse(async (sink) => {
          await sink.send("the beginning");
          throw new HttpError(500, "no more");
        });
      case "/cookies": {
        const response = new HttpResponse(request.headers.get("cookie"));
        response.headers.append("set-cookie", "a=1; Path=/");
        response.headers.append("set-cookie", "b=2; Path=/; HttpOnly");
        return response;
      }
      case "/elsewhere":
        return HttpResponse.redirect("/stream", 303);
      case "/slow":
        try {
          await sleep(60_000);
          return new HttpResponse("late");
        } finally {
          facts.cleanedUp += 1;
        }
      case "/empty":
        return new HttpResponse(null, { status: 204 });
      case "/":
        return new HttpResponse("hello", { headers: { "x-method": request.method } });
      default:
        throw new HttpError(404, `there is no ${pathname}`);
    }
  };
}

/** What both programs do first. */
const COMMON = `
import asyncio, hashlib, json, os, sys
URL = sys.argv[1]
LARGE = os.urandom(${LARGE_BYTES})
DIGEST = hashlib.sha256(LARGE).hexdigest()
def pieces():
    for at in range(0, len(LARGE), 100_000):
        yield LARGE[at:at + 100_000]
async def pieces_async():
    for piece in pieces():
        yield piece
`;

const AIOHTTP_PROGRAM = `${COMMON}
import aiohttp

async def main():
    timeout = aiohttp.ClientTimeout(total=30)
    one = aiohttp.TCPConnector(limit=1)
    jar = aiohttp.CookieJar(unsafe=True)  # which is what it calls cookies of addresses
    async with aiohttp.ClientSession(URL, timeout=timeout, connector=one, cookie_jar=jar) as session:
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
            async with session.request(method, "/") as response:
                assert response.status == 200 and response.headers["x-method"] == method
                assert await response.text() == ("" if method == "HEAD" else "hello")
        async with session.post("/json", json={"a": ["ü", 1.5]}) as response:
            assert await response.json() == {"got": {"a": ["ü", 1.5]}, "type": "application/json"}
        async with session.post("/form", data={"name": "ä & b", "other": "c"}) as response:
            assert await response.json() == [["name", "ä & b"], ["other", "c"]]
        form = aiohttp.FormData()
        form.add_field("name", "ü")
        form.add_field("file", b"line 1\\r\\nline 2", filename="a.txt", content_type="text/plain")
        async with session.post("/form", data=form) as response:
            assert await response.json() == [["name", "ü"], ["file", "a.txt", "line 1\\r\\nline 2"]]
        async with session.post("/digest", data=LARGE) as response:
            assert await response.json() == {"digest": DIGEST, "announced": len(LARGE)}
        async with session.post("/digest", data=pieces_async()) as response:
            assert await response.json() == {"digest": DIGEST, "announced": None}
        async with session.post("/digest", data=LARGE, expect100=True) as response:
            assert (await response.json())["digest"] == DIGEST
        async with session.post("/echo", data=pieces_async()) as response:
            assert await response.read() == LARGE
        async with session.get("/stream") as response:
            lines = [line async for line in response.content]
            assert lines == [b"line %d\\n" % n for n in range(1000)]
        async with session.get("/elsewhere") as response:
            assert (await response.text()).endswith("line 999\\n") and len(response.history) == 1
        async with session.get("/cookies") as response:
            assert {name: c.value for name, c in response.cookies.items()} == {"a": "1", "b": "2"}
        async with session.get("/cookies", cookies={"c": "3"}) as response:
            assert sorted((await response.text()).split("; ")) == ["a=1", "b=2", "c=3"]
        async with session.get("/empty") as response:
            assert response.status == 204 and await response.read() == b""
        async with session.get("/nowhere") as response:
            assert response.status == 404 and "/nowhere" in await response.text()
    print("one connection done", flush=True)
    sys.stdin.readline()
    async with aiohttp.ClientSession(URL, timeout=timeout) as session:
        try:
            async with session.get("/broken") as response:
                await response.read()
            raise AssertionError("a broken body looked whole")
        except aiohttp.ClientPayloadError:
            pass
        try:
            async with session.get("/slow", timeout=aiohttp.ClientTimeout(total=0.2)):
                raise AssertionError("answered")
        except asyncio.TimeoutError:
            pass
        async def get(n):
            async with session.post("/echo", data=b"%d" % n) as response:
                assert await response.read() == b"%d" % n
        await asyncio.gather(*(get(n) for n in range(300)))

asyncio.run(main())
print("all done")
`;

const HTTPX_PROGRAM = `${COMMON}
import httpx

limits = httpx.Limits(max_connections=1)
with httpx.Client(base_url=URL, timeout=30, limits=limits, trust_env=False) as client:
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        response = client.request(method, "/")
        assert response.status_code == 200 and response.headers["x-method"] == method
        assert response.text == ("" if method == "HEAD" else "hello")
    assert client.post("/json", json={"a": ["ü", 1.5]}).json()["got"] == {"a": ["ü", 1.5]}
    assert client.post("/form", data={"name": "ä & b", "other": "c"}).json() == [["name", "ä & b"], ["other", "c"]]
    files = {"file": ("a.txt", b"line 1\\r\\nline 2", "text/plain")}
    assert client.post("/form", data={"name": "ü"}, files=files).json() == [["name", "ü"], ["file", "a.txt", "line 1\\r\\nline 2"]]
    assert client.post("/digest", content=LARGE).json() == {"digest": DIGEST, "announced": len(LARGE)}
    assert client.post("/digest", content=pieces()).json() == {"digest": DIGEST, "announced": None}
    # It reads nothing before it has sent everything: so not more than the buffers on the way hold.
    assert client.post("/echo", content=LARGE[:60_000]).content == LARGE[:60_000]
    with client.stream("GET", "/stream") as response:
        assert list(response.iter_lines()) == ["line %d\\n" % n for n in range(1000)]
    response = client.get("/elsewhere", follow_redirects=True)
    assert response.status_code == 200 and len(response.history) == 1
    assert dict(client.get("/cookies").cookies) == {"a": "1", "b": "2"}
    assert sorted(client.get("/cookies").text.split("; ")) == ["a=1", "b=2"]
    assert client.get("/empty").content == b""
    assert client.get("/nowhere").status_code == 404
print("one connection done", flush=True)
sys.stdin.readline()

async def main():
    async with httpx.AsyncClient(base_url=URL, timeout=30, trust_env=False) as client:
        try:
            await client.get("/broken")
            raise AssertionError("a broken body looked whole")
        except (httpx.RemoteProtocolError, httpx.ReadError):
            pass
        try:
            await client.get("/slow", timeout=0.2)
            raise AssertionError("answered")
        except httpx.ReadTimeout:
            pass
        async def get(n):
            assert (await client.post("/echo", content=b"%d" % n)).content == b"%d" % n
        await asyncio.gather(*(get(n) for n in range(200)))

asyncio.run(main())
print("all done")
`;

async function askFrom(program: string, group: TaskGroup): Promise<void> {
  const facts: Facts = { connections: new Set(), cleanedUp: 0 };
  await using server = await openServer(handlerFor(facts), {
    port: 0,
    host: "127.0.0.1",
    group,
    graceMs: 0,
    // That a body broke off on purpose is told here.
    onError: (error) => assert.match(String(error), /no more/),
  });
  const url = server.url.replace(/\/$/, "");
  using client = new Program(PYTHON, ["-c", program, url]);
  await client.until(/one connection done/);
  assert.equal(facts.connections.size, 1);
  client.type("go on\n");
  const { code, stdout, stderr } = await client.ended();
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "one connection done\nall done\n");
  while (facts.cleanedUp === 0) await sleep(5);
}

const clients: readonly [Tool, string][] = [
  [AIOHTTP, AIOHTTP_PROGRAM],
  [HTTPX, HTTPX_PROGRAM],
];
for (const [tool, program] of clients) {
  peerTest(
    [tool],
    `${tool.name}: methods, JSON, forms, uploads, streams, cookies, redirects, errors, many at once`,
    (group) => askFrom(program, group),
  );
}
