/**
 * Which credentials go along with a redirect: to the same origin all of them, to another one (scheme, host or port) none, and none come back on the way
 * back. What a jar has, and what a function gives for a URL, goes where it belongs.
 */
import assert from "node:assert/strict";
import { basicCredentials } from "../protocol/credentials.ts";
import type { ResponseHead } from "../protocol/message.ts";
import type { FetchOptions, HttpClientOptions } from "./client-options.ts";
import { digestAuth } from "../middleware/digest-auth.ts";
import { netrcAuth } from "../middleware/netrc-auth.ts";
import { ClientResponse } from "./client-response.ts";
import { CookieJar } from "./cookie-jar.ts";
import type { Middleware } from "./middleware.ts";
import { identity } from "../server/certificates.test.kit.ts";
import { HttpResponse } from "../web/http-response.ts";
import { type Seen, sitesTest, valuesOf } from "./sites.test.kit.ts";

const A = "http://a.wild.test";
const SECURE_A = "https://a.wild.test";
const B = "http://b.wild.test";

/** Where a redirect leads from `http://a.wild.test/0`. */
const MOVES: Readonly<Record<string, readonly string[]>> = {
  "the same origin": [`${A}/1`],
  "the same origin, its port written out": ["http://a.wild.test:80/1"],
  "another scheme": [`${SECURE_A}/1`],
  "another host": [`${B}/1`],
  "a host above": ["http://example.test/1"],
  "another port": ["http://a.wild.test:8080/1"],
  "there and back": [`${B}/1`, `${A}/2`],
  "http, https, http": [`${SECURE_A}/1`, `${A}/2`],
  "the same, then another": [`${A}/1`, `${B}/2`],
  "protocol-relative": ["//b.wild.test/1"],
};

interface Source {
  readonly client?: HttpClientOptions;
  readonly request?: FetchOptions;
  readonly url?: string;
  /** Values that have to stay at their origin. */
  readonly values: Readonly<Record<string, readonly string[]>>;
}

const BASIC = basicCredentials("me", "secret");
const AUTH = { user: "me", password: "secret" };

/** Where credentials come from, and as what they are sent. */
const SOURCES: Readonly<Record<string, Source>> = {
  "Authorization of the request": {
    request: { headers: { Authorization: "Bearer 1" } },
    values: { authorization: ["Bearer 1"] },
  },
  "Authorization of the client": {
    client: { headers: { authorization: "Bearer 1" } },
    values: { authorization: ["Bearer 1"] },
  },
  "Cookie of the request, repeated": {
    request: {
      headers: [
        ["cookie", "a=1"],
        ["Cookie", "b=2"],
      ],
    },
    values: { cookie: ["a=1", "b=2"] },
  },
  "Cookie of the client": {
    client: { headers: { cookie: "a=1" } },
    values: { cookie: ["a=1"] },
  },
  "cookies of the request": {
    request: { cookies: { a: "1", b: "2" } },
    values: { cookie: ["a=1; b=2"] },
  },
  "credentials in the URL": {
    url: "http://me:secret@a.wild.test/0",
    values: { authorization: [BASIC] },
  },
  "auth of the request": { request: { auth: AUTH }, values: { authorization: [BASIC] } },
  "auth of the request, a token": {
    request: { auth: { token: "abc" } },
    values: { authorization: ["Bearer abc"] },
  },
  "auth of the client": { client: { auth: AUTH }, values: { authorization: [BASIC] } },
  "auth of the client, for its base": {
    client: { auth: AUTH, base: A },
    values: { authorization: [BASIC] },
  },
  "all at once": {
    client: { auth: { token: "other" } },
    request: { headers: { authorization: "Bearer 1", cookie: "a=1" }, cookies: { b: "2" } },
    values: { authorization: ["Bearer 1"], cookie: ["a=1; b=2"] },
  },
};

for (const [move, targets] of Object.entries(MOVES)) {
  for (const [name, { client: options = {}, request = {}, url, values }] of Object.entries(
    SOURCES,
  )) {
    sitesTest(
      `redirect to ${move}: ${name}`,
      async (sites) => {
        for (const status of [302, 307]) {
          sites.seen.length = 0;
          await using client = sites.client(options);
          sites.redirects(targets, status);
          await client.request(url ?? `${A}/0`, { method: "POST", body: "x", ...request });
          assert.equal(sites.seen.length, targets.length + 1);
          let hasLeft = false;
          for (const seen of sites.seen) {
            hasLeft ||= seen.origin !== A;
            for (const field of ["authorization", "cookie"])
              assert.deepEqual(valuesOf(seen, field), hasLeft ? [] : (values[field] ?? []));
          }
        }
      },
      [1],
    );
  }
}

for (const [move, targets] of Object.entries(MOVES)) {
  sitesTest(
    `redirect to ${move}: netrc and digest answer for their origins alone`,
    async (sites) => {
      const netrc = "machine a.wild.test login me password secret";
      await using listed = sites.client({ auth: netrcAuth(netrc) });
      sites.redirects(targets);
      await listed.request(`${A}/0`);
      for (const seen of sites.seen) {
        const isListed = new URL(seen.origin).hostname === "a.wild.test";
        assert.deepEqual(valuesOf(seen, "authorization"), isListed ? [BASIC] : []);
      }
      // Everybody asks for it.
      sites.seen.length = 0;
      const challenge = 'Digest realm="all", nonce="n", qop="auth", algorithm=SHA-256';
      const left = new Map(
        [`${A}/0`, ...targets].map((url, at) => [new URL(url, A).pathname, targets[at]]),
      );
      sites.answer = (seen) => {
        if (seen.origin === A && valuesOf(seen, "authorization").length === 0)
          return new HttpResponse("", { status: 401, headers: { "www-authenticate": challenge } });
        const location = left.get(seen.target);
        if (location !== undefined)
          return new HttpResponse("", { status: 307, headers: { location } });
        return new HttpResponse("", {
          status: seen.origin === A ? 200 : 401,
          headers: { "www-authenticate": challenge },
        });
      };
      await using digesting = sites.client({
        middleware: [digestAuth({ user: "me", password: "secret" })],
      });
      await digesting.request(`${A}/0`);
      const answered = sites.seen.filter((seen) => valuesOf(seen, "authorization").length > 0);
      assert.ok(answered.length > 0);
      assert.ok(
        answered.every(({ origin }) => origin === A),
        answered.map(({ origin }) => origin).join(),
      );
    },
    [1],
  );
}

sitesTest("redirect: of repeated fields no value crosses an origin", async (sites) => {
  const headers: [string, string][] = [
    ["Authorization", "Bearer 1"],
    ["authorization", "Bearer 2"],
    ["Proxy-Authorization", "Basic 1"],
    ["proxy-authorization", "Basic 2"],
    ["cookie", "a=1"],
    ["COOKIE", "b=2"],
    ["x-mine", "1"],
    ["X-Mine", "2"],
  ];
  const sent: (readonly string[])[] = [];
  // Our own server takes no such request: what would be sent is looked at before it is.
  await using client = sites.client({
    headers: { "user-agent": null, accept: null, "accept-encoding": null },
    middleware: [
      (request) => {
        sent.push(request.fields);
        const location = [`${A}/1`, `${B}/2`, `${A}/3`][sent.length - 1];
        const head: ResponseHead = {
          version: "1.1",
          status: location === undefined ? 200 : 307,
          reason: "",
          fields: location === undefined ? [] : ["location", location],
          framing: 0,
          keepAlive: true,
        };
        return Promise.resolve(new ClientResponse({ head, request, payload: null }));
      },
    ],
  });
  await client.request(`${A}/0`, { headers });
  const mine = ["x-mine", "1", "X-Mine", "2"];
  assert.deepEqual(sent, [headers.flat(), headers.flat(), mine, mine]);
});

sitesTest(
  "redirect: of what middleware has sent elsewhere, nothing goes along, there or back",
  async (sites) => {
    const moved: Middleware = (request, next) =>
      next(request.url === `${A}/0` ? request.with({ url: `${B}/0` }) : request);
    await using client = sites.client({ middleware: [moved] });
    for (const [location, origin] of [
      ["/1", B],
      [`${A}/1`, A],
    ] as const) {
      sites.seen.length = 0;
      sites.redirects([location]);
      await client.request(`${A}/0`, { auth: AUTH, cookies: { a: "1" } });
      const [first, second] = sites.seen as [Seen, Seen];
      assert.deepEqual([first.origin, second.origin], [B, origin]);
      for (const field of ["authorization", "cookie"])
        assert.deepEqual([valuesOf(first, field).length, valuesOf(second, field).length], [1, 0]);
    }
  },
);

sitesTest("redirect: Host is for its origin alone", async (sites) => {
  await using client = sites.client();
  sites.redirects([`${A}/1`, `${B}/2`, `${A}/3`]);
  await client.request(`${A}/0`, { headers: { host: "virtual.test" } });
  assert.deepEqual(
    sites.seen.map((seen) => valuesOf(seen, "host").join()),
    ["virtual.test", "virtual.test", "b.wild.test", "a.wild.test"],
  );
});

sitesTest(
  "redirect: credentials in its URL become Authorization, in place of others, and stay there",
  async (sites) => {
    await using client = sites.client({ auth: AUTH });
    const other = basicCredentials("you", "päss:word");
    const url = "http://you:p%C3%A4ss%3Aword@";
    for (const request of [{}, { headers: { authorization: "Bearer 1" } }] as FetchOptions[]) {
      sites.seen.length = 0;
      sites.redirects([`${url}b.wild.test/1`, `${B}/2`, `${A}/3`, `${url}a.wild.test/4`]);
      const response = await client.request(`${A}/0`, request);
      assert.deepEqual(
        sites.seen.map((seen) => valuesOf(seen, "authorization").join()),
        [request.headers === undefined ? BASIC : "Bearer 1", other, other, "", other],
      );
      assert.ok(
        [response.url, ...response.history.map((one) => one.url)].every(
          (one) => !one.includes("@"),
        ),
      );
    }
  },
);

sitesTest("redirect: a jar's cookies go where they belong, at each hop anew", async (sites) => {
  const jar = new CookieJar();
  jar.set("plain=1", `${A}/`);
  jar.set("secure=2; Secure", `${SECURE_A}/`);
  jar.set("wide=3; Domain=wild.test", `${A}/`);
  jar.set("deep=4; Path=/deep", `${A}/`);
  await using client = sites.client({ cookies: jar });
  const targets = [`${SECURE_A}/1`, `${B}/2`, "http://a.wild.test:8080/deep/3", `${A}/4`];
  sites.redirects(targets);
  await client.request(`${A}/0`, { cookies: { once: "5", plain: "mine" } });
  assert.deepEqual(
    sites.seen.map((seen) => valuesOf(seen, "cookie").join()),
    [
      "once=5; plain=mine; wide=3",
      "plain=1; secure=2; wide=3",
      "wide=3",
      "deep=4; plain=1; wide=3",
      "plain=1; wide=3",
    ],
  );
});

sitesTest("redirect: cookies that a redirect sets are sent to where it leads", async (sites) => {
  await using client = sites.client({ cookies: true });
  sites.answer = ({ target }) =>
    target === "/0"
      ? new HttpResponse("", {
          status: 302,
          headers: [
            ["location", `${A}/1`],
            ["set-cookie", "session=1; Path=/; HttpOnly"],
            ["set-cookie", "gone=1; Max-Age=0"],
            ["set-cookie", "foreign=1; Domain=example.test"],
          ],
        })
      : new HttpResponse("page");
  await client.request(`${A}/0`);
  assert.deepEqual(
    sites.seen.map((seen) => valuesOf(seen, "cookie").join()),
    ["", "session=1"],
  );
});

sitesTest(
  "redirect: a function is asked for the credentials of each URL, and nobody else's go there",
  async (sites) => {
    const asked: string[] = [];
    await using client = sites.client({
      auth: (url) => {
        asked.push(url);
        return url.startsWith(`${A}/`) ? AUTH : url.startsWith(`${B}/`) ? { token: "b" } : null;
      },
    });
    const targets = [`${B}/1`, "http://example.test/2", `${A}/3`, `${A}/4`];
    sites.redirects(targets);
    await client.request(`${A}/0`);
    assert.deepEqual(asked, [`${A}/0`, ...targets]);
    const authorizations = (): string[] =>
      sites.seen.map((seen: Seen) => valuesOf(seen, "authorization").join());
    assert.deepEqual(authorizations(), [BASIC, "Bearer b", "", BASIC, BASIC]);
    sites.seen.length = 0;
    sites.redirects(targets);
    await client.request(`${A}/0`, { headers: { authorization: "Bearer own" } });
    assert.deepEqual(authorizations(), ["Bearer own", "", "", "", ""]);
  },
);

for (const [move, targets] of Object.entries(MOVES)) {
  sitesTest(
    `redirect to ${move}: a client certificate, or a session, of the request stays at its origin`,
    async (sites) => {
      const seen: [origin: string, hasSecret: boolean, isVersionKept: boolean][] = [];
      let given: FetchOptions["tls"] & {} = {};
      await using client = sites.client({
        middleware: [
          (request, next) => {
            const { identity, session, versionMin } = request.options.tls ?? {};
            if (given.identity !== undefined)
              assert.equal(identity === undefined, session === undefined);
            seen.push([request.origin, session !== undefined, versionMin === "TLSv1.3"]);
            return next(request);
          },
        ],
      });
      const session = new Uint8Array(1);
      for (given of [{ identity, session }, { session }]) {
        seen.length = 0;
        sites.redirects(targets);
        await client.request(`${A}/0`, { tls: { ...given, versionMin: "TLSv1.3" } });
        assert.equal(seen.length, targets.length + 1);
        let isHome = true;
        for (const [origin, hasSecret, isVersionKept] of seen) {
          isHome &&= origin === A;
          assert.deepEqual([hasSecret, isVersionKept], [isHome, true], JSON.stringify(seen));
        }
      }
    },
  );
}
