import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { Event, failAfter, moveOnAfter, now, run, sleep, sleepForever, taskGroup } from "arborio";
import { listenTcp } from "arborio/net";
import { onEveryBackend } from "arborio/testing";
import { HttpRequest, HttpResponse, openHttpClient, openServer } from "@arborio/http";
import { ExampleProgram } from "../testing/example-program.ts";
import { LOCAL, proxyTo, RawPeer, settled, withProxy } from "./chain.test.kit.ts";
import { AS_THEY_ARE, createProxy } from "./proxy.ts";
import { parseSites } from "./sites.ts";

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: 60_000 }, body));
/** Bun gives a test five seconds unless told otherwise. */
const LONG = { timeout: 60_000 };
const ON_VIRTUAL_TIME = { skip: { backend: "host", reason: "waits in virtual time" } } as const;

test("proxy: method, target, fields, body and trailers go to the server, the response comes back", () =>
  withProxy(
    async (request) => {
      assert.ok(request instanceof HttpRequest);
      const { method, target } = request;
      const text = await request.text();
      const seen = { method, target, text, fields: [...request.headers], late: request.trailers };
      return new HttpResponse(async (sink) => sink.send(JSON.stringify(seen)), {
        status: 203,
        headers: [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
          ["trailer", "x-sum"],
        ],
        trailers: () => ({ "x-sum": "7" }),
      });
    },
    async ({ client, errors, proxy }) => {
      const response = await client.request("/a%20b//c?d=1&d=2", {
        method: "PATCH",
        headers: {
          "x-own": "1",
          "x-forwarded-for": "6.6.6.6",
          forwarded: "for=6.6.6.6",
        },
        body: async (sink) => sink.send("grüße"),
        trailers: () => ({ "x-end": "2" }),
      });
      assert.deepEqual(errors, []);
      assert.equal(response.status, 203);
      assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
      assert.deepEqual(response.trailers, ["x-sum", "7"]);
      const seen = response.json() as {
        method: string;
        target: string;
        text: string;
        fields: [string, string][];
        late: string[];
      };
      assert.deepEqual(
        [seen.method, seen.target, seen.text],
        ["PATCH", "/a%20b//c?d=1&d=2", "grüße"],
      );
      const fields = new Map(seen.fields);
      assert.equal(fields.get("x-own"), "1");
      assert.equal(fields.get("x-forwarded-for"), "127.0.0.1");
      assert.equal(fields.get("x-forwarded-host"), `127.0.0.1:${proxy.port}`);
      assert.equal(
        fields.get("forwarded"),
        `for="127.0.0.1";host="127.0.0.1:${proxy.port}";proto=http`,
      );
      assert.equal(fields.get("via"), "1.1 arborio-proxy");
    },
  ));

test("proxy: nothing is asked for that the client has not asked for, and a coding is its business", () =>
  withProxy(
    (request) =>
      new HttpResponse([...request.headers.keys()].join(" "), {
        headers: { "content-encoding": "gzip", location: "/elsewhere" },
        status: 302,
      }),
    async ({ connect }) => {
      using raw = await connect();
      await raw.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
      const [head = "", names = ""] = (await raw.rest()).split("\r\n\r\n");
      assert.match(head, /^HTTP\/1.1 302 [^]*^content-encoding: gzip\r?$/m);
      assert.equal(names, "forwarded host via x-forwarded-for x-forwarded-host x-forwarded-proto");
    },
  ));

test("proxy: trailers that a client announces go to the server", () =>
  withProxy(
    async (request) => {
      await request.text();
      return HttpResponse.json((request as HttpRequest).trailers);
    },
    async ({ connect }) => {
      using raw = await connect();
      await raw.send(
        "POST / HTTP/1.1\r\nhost: a\r\ntrailer: x-end\r\ntransfer-encoding: chunked\r\n",
      );
      await raw.send("connection: close\r\n\r\n3\r\nabc\r\n0\r\nx-end: 2\r\n\r\n");
      assert.match(await raw.rest(), /\["x-end","2"\]$/);
    },
  ));

test("proxy: a protocol that is not asked for, and one that the server declines, stay HTTP", () =>
  withProxy(
    (request) => new HttpResponse(`upgrade: ${request.headers.get("upgrade")}`),
    async ({ connect }) => {
      for (const [protocol, seen] of [
        ["h2c", "null"],
        ["websocket", "websocket"],
      ]) {
        using raw = await connect();
        await raw.send(
          `GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`,
        );
        await raw.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        const text = await raw.rest();
        assert.match(text, new RegExp(`^HTTP/1.1 200 [^]*upgrade: ${seen}HTTP/1.1 200 `));
      }
    },
  ));

test(
  "proxy: no server is 502, one that takes too long 504, and then it does not work for nothing",
  async () => {
    await withProxy(
      async () => await sleepForever(),
      async ({ client, upstream }) => {
        const began = now();
        const { status } = await client.request("/");
        assert.equal(status, 504);
        assert.ok(now() - began >= 5000 && now() - began < 7000);
        await settled(upstream);
        await upstream.close();
        assert.equal((await client.request("/")).status, 502);
      },
    );
  },
  ON_VIRTUAL_TIME,
);

test("proxy: the sites are told apart by their hosts; a path is never another server", async () => {
  const open = (name: string) => openServer(({ url }) => new HttpResponse(`${name} ${url}`), LOCAL);
  await using one = await open("one");
  await using two = await open("two");
  await using passing = openHttpClient(AS_THEY_ARE);
  const sites = parseSites([`one.test=${one.url}`, `Two.test=${two.url}`]);
  assert.ok(sites !== undefined);
  await using proxy = await openServer(createProxy({ client: passing, sites }), LOCAL);
  await using client = openHttpClient({ base: proxy.url });
  const ask = async (host: string, path: string): Promise<string> => {
    const response = await client.request(`${proxy.url}${path}`, { headers: { host } });
    return `${response.status} ${response.text()}`;
  };
  assert.equal(await ask("one.test", "x"), `200 one ${one.url}x`);
  assert.equal(await ask("TWO.test:1234", "?y=1"), `200 two ${two.url}?y=1`);
  assert.equal(await ask("one.test", "/two.test/x"), `200 one ${one.url}/two.test/x`);
  assert.match(await ask("three.test", ""), /^404 /);
});

test("proxy: CONNECT and TRACE are not passed on, nor what has been here before", () =>
  withProxy(
    () => new HttpResponse("passed"),
    async ({ connect }) => {
      for (const [head, status] of [
        ["CONNECT other.test:80 HTTP/1.1\r\nhost: other.test:80\r\n", 405],
        ["TRACE / HTTP/1.1\r\nhost: a\r\n", 405],
        ["OPTIONS * HTTP/1.1\r\nhost: a\r\n", 405],
        ["OPTIONS / HTTP/1.1\r\nhost: a\r\n", 200],
        ["GET / HTTP/1.1\r\nhost: a\r\nvia: 1.1 arborio-proxy, 1.1 b\r\n", 508],
      ] as const) {
        using raw = await connect();
        await raw.send(`${head}\r\n`);
        assert.match(await raw.head(), new RegExp(`^HTTP/1.1 ${status} `));
      }
    },
  ));

test("proxy: fields of the one connection are not passed on, neither way", async (group) => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  const seen: string[] = [];
  group.startSoon(async () => {
    using peer = new RawPeer(await listener.accept());
    seen.push(await peer.head());
    await peer.send("HTTP/1.1 200 OK\r\nconnection: x-hop, keep-alive\r\nx-hop: 1\r\n");
    await peer.send("keep-alive: timeout=7\r\nproxy-authenticate: Basic\r\nx-end: 1\r\n");
    await peer.send("content-length: 4\r\n\r\npage");
    await peer.rest();
  });
  await proxyTo([`http://127.0.0.1:${listener.port}`], async ({ connect }) => {
    using raw = await connect();
    await raw.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: x-secret, close\r\nx-secret: 1\r\n");
    await raw.send("te: trailers\r\nproxy-authorization: Basic eDp5\r\nupgrade: x\r\n");
    await raw.send("keep-alive: timeout=5\r\nproxy-connection: close\r\nx-end: 1\r\n\r\n");
    seen.push(await raw.rest());
  });
  for (const message of seen) {
    assert.match(message, /^x-end: 1\r$/m);
    for (const name of ["x-secret", "x-hop", "te", "proxy-[a-z]+", "keep-alive", "upgrade"])
      assert.doesNotMatch(message, new RegExp(`^${name}:`, "m"));
  }
});

/** Each hides a second request from whoever reads the first in another way. */
const SMUGGLED: Readonly<Record<string, string>> = {
  "length and chunks": "content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nG",
  "two lengths": "content-length: 0\r\ncontent-length: 44\r\n\r\n",
  "a strange coding": "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
  "a coding after chunks": "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
  "a space before the colon": "transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
  "a bare line feed": "x-a: 1\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
  "a folded line": "x-a: 1\r\n transfer-encoding: chunked\r\n\r\n",
  "a signed length": "content-length: +5\r\n\r\nhello",
  "a strange chunk": "transfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
  "a hidden length": "connection: content-length\r\ncontent-length: 44\r\n\r\n",
};

test("proxy: no request is smuggled to the server in another one", async () => {
  let seen: string[] = [];
  await withProxy(
    async (request) => {
      seen.push(new URL(request.url).pathname);
      await request.text();
      return new HttpResponse("");
    },
    async ({ connect }) => {
      for (const [name, rest] of Object.entries(SMUGGLED)) {
        seen = [];
        using raw = await connect();
        await raw.send(`POST / HTTP/1.1\r\nhost: a\r\n${rest}`);
        await raw.send("GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n").catch(() => {});
        await raw.stream.sendEof().catch(() => {});
        await raw.rest();
        assert.ok(!seen.includes("/smuggled"), `${name}: ${seen.join(" ")}`);
      }
    },
  );
});

test("proxy: 100 Continue comes when the server asks for the body, and not if it refuses", () =>
  withProxy(
    async (request) => {
      if (request.url.endsWith("/refuse")) return new HttpResponse("too large", { status: 413 });
      return new HttpResponse(await request.text());
    },
    async ({ connect }) => {
      const ask = (path: string): string =>
        `POST ${path} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n`;
      {
        using raw = await connect();
        await raw.send(ask("/take"));
        assert.match(await raw.head(), /^HTTP\/1.1 100 /);
        await raw.send("hello");
        assert.match(await raw.head(), /^HTTP\/1.1 200 /);
      }
      using raw = await connect();
      await raw.send(ask("/refuse"));
      assert.match(await raw.head(), /^HTTP\/1.1 413 /);
    },
  ));

test("proxy: early hints come before the response", () =>
  withProxy(
    async (_request, context) => {
      await context.earlyHints({ link: "</a.css>; rel=preload" });
      await sleep(50);
      return new HttpResponse("page");
    },
    async ({ client }) => {
      const hints: (string | null)[] = [];
      const response = await client.request("/", {
        onInformational: (status, headers) => hints.push(`${status} ${headers.get("link")}`),
      });
      assert.equal(response.text(), "page");
      assert.deepEqual(hints, ["103 </a.css>; rel=preload"]);
    },
  ));

test("proxy: servers take turns; one that has gone is asked no more, until it is well again", async () => {
  const open = (name: string, port: number) =>
    openServer(() => new HttpResponse(name), { ...LOCAL, port });
  await using one = await open("one", 0);
  const two = await open("two", 0);
  await proxyTo([one.url, two.url], async ({ client, upstreams, passing }) => {
    const answers = async (): Promise<string> => {
      const names: string[] = [];
      for (let count = 0; count < 4; count++) names.push((await client.request("/")).text());
      return names.join(", ");
    };
    assert.equal(await answers(), "one, two, one, two");
    await two.close();
    // A body cannot be sent again: it goes elsewhere the next time.
    const post = async (): Promise<number> =>
      (await client.request("/", { method: "POST", body: "text" })).status;
    assert.deepEqual(
      [await post(), await post(), await post(), await post()],
      [200, 502, 200, 200],
    );
    assert.equal(await answers(), "one, one, one, one");
    await using _again = await open("two again", two.port);
    await moveOnAfter(500, () => upstreams.watch(passing, "/"));
    assert.match(await answers(), /two again/);
  });
});

test("proxy: a body that breaks the protocol is the fault of the client, and says so", () =>
  withProxy(
    async (request) => new HttpResponse(await request.text()),
    async ({ connect, upstream }) => {
      using raw = await connect();
      await raw.send(
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
      );
      await sleep(50);
      await raw.send("zz\r\n");
      assert.match(await raw.head(), /^HTTP\/1.1 400 /);
      await settled(upstream);
    },
  ));

test("proxy: a request that a server has got goes to no other one", async (group) => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  group.startSoon(async () => {
    using peer = new RawPeer(await listener.accept());
    await peer.head();
  });
  let asked = 0;
  const count = (): HttpResponse => new HttpResponse(String((asked += 1)));
  await using other = await openServer(count, LOCAL);
  await proxyTo([`http://127.0.0.1:${listener.port}`, other.url], async ({ client, upstreams }) => {
    assert.equal((await client.request("/")).status, 502);
    assert.equal(asked, 0);
    assert.ok(upstreams.all.every(({ isHealthy }) => isHealthy));
  });
});

test("proxy: what is under way is finished when it is shut down", () => {
  const begun = new Event();
  return withProxy(
    async () => {
      begun.set();
      await sleep(200);
      return new HttpResponse("finished");
    },
    async ({ client, proxy }) => {
      await taskGroup(async (group) => {
        const asked = group.startSoon(() => client.request("/"));
        await begun.wait();
        await proxy.close({ graceMs: 5000 });
        assert.equal((await asked.result()).text(), "finished");
      });
    },
  );
});

nodeTest(
  "reverse-proxy, the program: passes on, and Ctrl-C ends it; wrong usage says so",
  LONG,
  () =>
    run(
      () =>
        failAfter(30_000, async () => {
          await using upstream = await openServer(() => new HttpResponse("from behind"), LOCAL);
          using program = new ExampleProgram("reverse-proxy", [
            "--port=0",
            "--health=/",
            upstream.url,
          ]);
          const [, url = ""] = await program.until(/^proxy on (.*)$/m);
          await using client = openHttpClient();
          assert.equal((await client.request(url)).text(), "from behind");
          program.interrupt();
          assert.equal(await program.ended(), 0, program.printed);
          using wrong = new ExampleProgram("reverse-proxy", ["nonsense"]);
          assert.equal(await wrong.ended(), 2);
          assert.match(wrong.printed, /^got "nonsense", needs URLs .*\nUsage: main\.ts /);
        }),
      { signals: [] },
    ),
);
