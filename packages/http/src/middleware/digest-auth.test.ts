import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { gather, run, sleep } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import type { FetchOptions, HttpClientOptions } from "../client/client-options.ts";
import { type HttpClient, openHttpClient } from "../client/http-client.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { curl, parted } from "../peers/curl.test.kit.ts";
import { CURL, peerTest } from "../peers/peer-test.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import type { Server } from "../server/server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { digestAuth, type DigestAuthOptions } from "./digest-auth.ts";
import {
  DigestServer,
  type DigestServerOptions,
  PASSWORD,
  USER,
} from "./digest-server.test.kit.ts";

function test(title: string, body: () => Promise<void>): void {
  for (const seed of [1, 2, 3]) {
    void nodeTest(`${title} [seed ${seed}]`, async () => {
      await run(body, { signals: [], backend: simulator({ seed }) });
    });
  }
}

interface Guarded extends AsyncDisposable {
  readonly judge: DigestServer;
  readonly server: Server;
  readonly client: HttpClient;
  ask(path?: string, options?: FetchOptions): Promise<string>;
  /** What the server has made of the requests since the last time. */
  verdicts(): string;
}

async function guarded(
  how: DigestServerOptions = {},
  auth: Partial<DigestAuthOptions> = {},
  more: HttpClientOptions = {},
): Promise<Guarded> {
  const judge = new DigestServer(how);
  const server = await openServer((request) => judge.answer(request), {
    port: 0,
    host: "127.0.0.1",
  });
  const middleware = [digestAuth({ user: USER, password: PASSWORD, ...auth })];
  const client = openHttpClient({ base: server.url, middleware, ...more });
  return {
    judge,
    server,
    client,
    ask: async (path = "/", options = {}) => {
      const response = await client.request(path, options);
      return `${response.status} ${response.text()}`;
    },
    verdicts: () => judge.verdicts.splice(0).join(),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

for (const algorithm of [null, "MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512"]) {
  test(`digestAuth: ${algorithm ?? "no algorithm"}: one challenge, then the answer goes along`, async () => {
    await using all = await guarded({ algorithm });
    for (const path of ["/", "/a?b=c&d", "/%C3%A4/x%22y"])
      assert.equal(await all.ask(path), "200 welcome, 0");
    assert.equal(await all.ask("/", { method: "POST", body: "12345" }), "200 welcome, 5");
    assert.equal(all.verdicts(), "none,good,good,good,good");
  });
}

test("digestAuth: servers from before RFC 2617", async () => {
  await using all = await guarded({ algorithm: null, qop: null });
  assert.equal(await all.ask(), "200 welcome, 0");
  assert.equal(await all.ask("/", { method: "PUT", body: "1" }), "200 welcome, 1");
  assert.equal(all.verdicts(), "none,good,good");
});

test("digestAuth: a wrong password is asked with once for each request, and the response is the 401", async () => {
  await using all = await guarded({}, { password: "wrong" });
  for (let count = 0; count < 2; count++) {
    assert.equal(await all.ask(), "401 who are you?");
    assert.equal(all.verdicts(), "none,wrong response");
  }
});

test("digestAuth: a nonce that is stale, forgotten, or replaced makes no error", async () => {
  for (const saysStale of [true, false]) {
    await using all = await guarded({ nonceUses: 2, saysStale });
    for (let count = 0; count < 5; count++) assert.equal(await all.ask(), "200 welcome, 0");
    assert.equal(all.verdicts(), "none,good,good,stale,good,good,stale,good");
    all.judge.restart();
    assert.equal(await all.ask(), "200 welcome, 0");
    assert.equal(all.verdicts(), "stale,good");
  }
  await using next = await guarded({ givesNext: true });
  for (let count = 0; count < 4; count++) assert.equal(await next.ask(), "200 welcome, 0");
  assert.equal(next.verdicts(), "none,good,good,good,good");
});

test("digestAuth: a server that takes no nonce is asked three times, not for ever", async () => {
  await using all = await guarded({ nonceUses: 0 });
  assert.equal(await all.ask(), "401 who are you?");
  assert.equal(all.verdicts(), "none,stale,stale");
});

test("digestAuth: what is no longer right is forgotten", async () => {
  await using all = await guarded();
  await all.ask();
  all.judge.password = "another";
  for (let count = 0; count < 2; count++) assert.equal(await all.ask(), "401 who are you?");
  assert.equal(all.verdicts(), "none,good,wrong response,wrong response,none,wrong response");
});

test("digestAuth: of requests at once, the newest nonce is kept", async () => {
  const nonces: (string | undefined)[] = [];
  await using server = await openServer(
    async ({ url, headers }) => {
      const nonce = /nonce="(\w+)"/.exec(headers.get("authorization") ?? "")?.[1];
      nonces.push(nonce);
      if (nonce === undefined) {
        const challenge = 'Digest realm="a", nonce="first", qop="auth"';
        return new HttpResponse("", { status: 401, headers: { "www-authenticate": challenge } });
      }
      if (url.endsWith("/slow")) await sleep(1000);
      const isFast = url.endsWith("/fast");
      return new HttpResponse("", {
        headers: isFast ? { "authentication-info": 'nextnonce="second"' } : {},
      });
    },
    { port: 0, host: "127.0.0.1" },
  );
  const middleware = [digestAuth({ user: USER, password: PASSWORD })];
  await using client = openHttpClient({ base: server.url, middleware });
  await client.request("/");
  await gather([() => client.request("/slow"), () => client.request("/fast")]);
  await client.request("/");
  assert.deepEqual(nonces, [undefined, "first", "first", "first", "second"]);
});

test("digestAuth: many at once use each count once", async () => {
  await using all = await guarded();
  await all.ask();
  all.verdicts();
  const texts = await gather(Array.from({ length: 30 }, () => () => all.ask()));
  assert.deepEqual(new Set(texts), new Set(["200 welcome, 0"]));
  assert.equal(all.verdicts(), Array.from({ length: 30 }, () => "good").join());
  await using next = await guarded({ givesNext: true });
  const others = await gather(Array.from({ length: 3 }, () => () => next.ask()));
  assert.ok(others.includes("200 welcome, 0"), others.join());
  next.verdicts();
  assert.equal(await next.ask(), "200 welcome, 0");
});

test("digestAuth: bodies are protected where the server demands it, or where that is wanted", async () => {
  const form = new FormData();
  form.set("file", new Blob(["x".repeat(100_000)]), "name");
  const bodies: readonly FetchOptions[] = [
    { method: "GET" },
    { method: "POST", body: "text ä" },
    { method: "POST", body: new Uint8Array([1, 2, 3]) },
    { method: "POST", body: new Blob(["blob"]) },
    { method: "POST", form },
  ];
  for (const [qop, protectBody, used] of [
    ["auth-int", false, "auth-int"],
    ["auth,auth-int", true, "auth-int"],
    ["auth,auth-int", false, "auth"],
    ["auth", true, "auth"],
  ] as const) {
    await using all = await guarded({ qop }, { protectBody });
    for (const options of bodies) assert.match(await all.ask("/", options), /^200/);
    assert.equal(all.verdicts(), "none,good,good,good,good,good");
    assert.match(all.judge.authorizations[1] as string, new RegExp(`qop=${used},`));
  }
});

async function* streamed(): AsyncGenerator<string> {
  yield "stre";
  await sleep(1);
  yield "am";
}

const isBodyError =
  (message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof RequestFailedError);
    assert.equal(error.reason, "request-body");
    assert.match(error.message, message);
    return true;
  };

test("digestAuth: a stream is sent if the nonce is known; else it is a clear error", async () => {
  await using all = await guarded();
  const upload = { method: "POST", body: streamed() } as const;
  await assert.rejects(all.ask("/", upload), isBodyError(/wants Digest \(401\).*only once/s));
  await all.ask();
  assert.equal(await all.ask("/", { ...upload, body: streamed() }), "200 welcome, 6");
  assert.equal(all.verdicts(), "none,none,good,good");
  await using strict = await guarded({ qop: "auth-int" });
  await strict.ask();
  await assert.rejects(
    strict.ask("/", { ...upload, body: streamed() }),
    isBodyError(/auth-int\), and a stream cannot/),
  );
  await assert.rejects(
    strict.ask("/", { method: "POST", body: "x", compress: "gzip" }),
    isBodyError(/auth-int\), and a body that is compressed/),
  );
});

test("digestAuth: no other origin's challenge is answered, unless it is named", async () => {
  const evil = new DigestServer();
  await using other = await openServer((request) => evil.answer(request), {
    port: 0,
    host: "127.0.0.1",
  });
  const origin = new URL(other.url).origin;
  await using home = await openServer(
    () => new HttpResponse("", { status: 307, headers: { location: `${origin}/x` } }),
    { port: 0, host: "127.0.0.1" },
  );
  const auth = { user: USER, password: PASSWORD };
  await using client = openHttpClient({ middleware: [digestAuth(auth)] });
  assert.equal((await client.request(home.url)).status, 401);
  assert.equal((await client.request(other.url)).status, 401);
  assert.deepEqual(evil.authorizations, [null, null]);
  const origins = [origin];
  await using named = openHttpClient({ middleware: [digestAuth({ ...auth, origins })] });
  assert.equal((await named.request(home.url)).status, 200);
  assert.deepEqual(evil.verdicts.slice(2), ["none", "good"]);
});

test("digestAuth: what one origin has asked for is answered to it alone, also where others are named", async () => {
  await using one = await guarded();
  const seen: (string | null)[] = [];
  await using other = await openServer(
    ({ headers }) => {
      seen.push(headers.get("authorization"));
      return new HttpResponse("");
    },
    { port: 0, host: "127.0.0.1" },
  );
  const origins = [one.server, other].map(({ url }) => new URL(url).origin);
  const middleware = [digestAuth({ user: USER, password: PASSWORD, origins })];
  await using client = openHttpClient({ middleware });
  for (let count = 0; count < 2; count++) {
    assert.equal((await client.request(one.server.url)).status, 200);
    await client.request(other.url);
  }
  assert.deepEqual(seen, [null, null]);
});

test("digestAuth: an answer goes where it is good: by the domain of the challenge, of this origin alone", async () => {
  await using all = await guarded({ domain: "/a /b/ http://elsewhere.test/" });
  await all.ask("/a");
  assert.equal(all.verdicts(), "none,good");
  await all.ask("/a/b");
  await all.ask("/b/c");
  assert.equal(all.verdicts(), "good,good");
  for (const path of ["/ab", "/b", "/"]) {
    await all.ask(path);
    assert.equal(all.verdicts(), "none,good", path);
  }
  await using elsewhere = await guarded({ domain: "http://elsewhere.test/" });
  for (let count = 0; count < 2; count++) {
    await elsewhere.ask();
    assert.equal(elsewhere.verdicts(), "none,good");
  }
});

test("digestAuth: several realms on one origin", async () => {
  const judges = { a: new DigestServer({ realm: "a" }), b: new DigestServer({ realm: "b" }) };
  await using server = await openServer(
    (request) => judges[new URL(request.url).pathname[1] as "a" | "b"].answer(request),
    { port: 0, host: "127.0.0.1" },
  );
  const middleware = [digestAuth({ user: USER, password: PASSWORD })];
  await using client = openHttpClient({ base: server.url, middleware });
  for (const path of ["/a", "/a", "/b", "/b", "/a"])
    assert.equal((await client.request(path)).status, 200, path);
  assert.deepEqual(judges.a.verdicts, ["none", "good", "good", "wrong realm", "good"]);
  assert.deepEqual(judges.b.verdicts, ["wrong realm", "good", "good"]);
});

test("digestAuth: of 64 realms it knows what to answer; what was not of use for longest is forgotten", async () => {
  let asked = 0;
  await using server = await openServer(
    ({ url, headers }) => {
      asked += 1;
      if (headers.has("authorization")) return new HttpResponse("");
      const path = new URL(url).pathname;
      const challenge = `Digest realm="of ${path}", nonce="n", qop="auth", domain="${path}"`;
      return new HttpResponse("", { status: 401, headers: { "www-authenticate": challenge } });
    },
    { port: 0, host: "127.0.0.1" },
  );
  const middleware = [digestAuth({ user: "a", password: "b" })];
  await using client = openHttpClient({ base: server.url, middleware });
  const requestsFor = async (index: number): Promise<number> => {
    asked = 0;
    assert.equal((await client.request(`/${index}`)).status, 200);
    return asked;
  };
  for (let index = 0; index < 64; index++) assert.equal(await requestsFor(index), 2);
  assert.equal(await requestsFor(0), 1);
  assert.equal(await requestsFor(64), 2);
  assert.equal(await requestsFor(0), 1);
  assert.equal(await requestsFor(2), 1);
  assert.equal(await requestsFor(1), 2);
});

test("digestAuth: other challenges, and requests that are authorized already, pass", async () => {
  await using all = await guarded();
  assert.equal(await all.ask("/", { auth: { token: "x" } }), "401 who are you?");
  assert.deepEqual(all.judge.authorizations, ["Bearer x"]);
  const fields = ['Basic realm="a"', 'Digest realm="a", nonce="x", algorithm=SHA-1024', "Digest x"];
  let asked = 0;
  await using server = await openServer(
    () => {
      const headers = { "www-authenticate": fields[asked++] as string };
      return new HttpResponse("", { status: 401, headers });
    },
    { port: 0, host: "127.0.0.1" },
  );
  const middleware = [digestAuth({ user: USER, password: PASSWORD })];
  await using client = openHttpClient({ base: server.url, middleware });
  for (let count = 1; count <= fields.length; count++) {
    assert.equal((await client.request("/")).status, 401);
    assert.equal(asked, count);
  }
});

test("digestAuth: the connection of a challenge is used again", async () => {
  await using all = await guarded();
  await all.ask();
  assert.equal(all.client.statistics().connectionsOpened, 1);
});

void nodeTest("cancelEverywhere: digestAuth", async () => {
  await run(
    async () => {
      const sweep = await cancelEverywhere(async () => {
        await using all = await guarded({ nonceUses: 1, qop: "auth-int" });
        for (let count = 0; count < 2; count++)
          assert.match(await all.ask("/", { method: "POST", body: new Blob(["x"]) }), /^200/);
      });
      assert.ok(sweep.rounds.waiting > 5, JSON.stringify(sweep));
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
});

void nodeTest("digestAuth: wrong options", () => {
  const auth = { user: USER, password: PASSWORD };
  assert.throws(() => digestAuth({ user: USER } as never), TypeError);
  for (const origin of ["example.org", "https://example.org/path", "https://u:p@example.org"])
    assert.throws(() => digestAuth({ ...auth, origins: [origin] }), /origins \}\): got /, origin);
});

for (const algorithm of [null, "MD5", "MD5-sess", "SHA-256", "SHA-256-sess"]) {
  peerTest(
    [CURL],
    `digest, ${algorithm ?? "no algorithm"}: our judge finds curl right, and its wrong password wrong`,
    async () => {
      for (const qop of algorithm === null ? [null, "auth"] : ["auth", "auth,auth-int"]) {
        await using all = await guarded({ algorithm, qop });
        const url = `${all.server.url}a/b?c=d`;
        const ended = await curl(["-i", "--digest", "-u", `${USER}:${PASSWORD}`, url]);
        assert.match(parted(parted(ended.stdout)[1])[1], /^welcome, 0/);
        assert.equal(all.verdicts(), "none,good");
        await curl(["--digest", "-u", `${USER}:${PASSWORD}`, "-d", "body", url]);
        assert.equal(all.verdicts(), "none,good");
        await curl(["--digest", "-u", `${USER}:other`, url]);
        assert.equal(all.verdicts(), "none,wrong response");
      }
    },
  );
}
