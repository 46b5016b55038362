/** The jar: which cookies are taken, where they go, and when they are gone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, sleep } from "arborio";
import { simulator } from "arborio/sim";
import { CookieJar } from "./cookie-jar.ts";
import { HttpResponse } from "../web/http-response.ts";
import { sitesTest, valuesOf } from "./sites.test.kit.ts";
import type { CookieJarState } from "./cookie-state.ts";

const H = "http://www.example.com";
const S = "https://www.example.com";

/** Lines of `Set-Cookie` from a URL, another URL, and what is sent there. */
const RULES: Readonly<Record<string, readonly [string, string, string, string]>> = {
  "a host-only cookie goes to its host": [`${H}/`, "a=1", `${H}/x`, "a=1"],
  "not to a host below": ["http://example.com/", "a=1", `${H}/`, ""],
  "not to a host above": [`${H}/`, "a=1", "http://example.com/", ""],
  "to another port": [`${H}/`, "a=1", `${H}:8080/`, "a=1"],
  "to https": [`${H}/`, "a=1", `${S}/`, "a=1"],
  "a domain's cookie goes below": [
    `${H}/`,
    "a=1; Domain=example.com",
    "http://x.y.example.com/",
    "a=1",
  ],
  "with a dot before it": [`${H}/`, "a=1; Domain=.example.com", "http://example.com/", "a=1"],
  "not to what ends alike": [`${H}/`, "a=1; Domain=example.com", "http://badexample.com/", ""],
  "nobody sets for another domain": [`${H}/`, "a=1; Domain=example.org", "http://example.org/", ""],
  "nobody sets for one below": ["http://example.com/", "a=1; Domain=www.example.com", `${H}/`, ""],
  "nobody sets for a public suffix": [
    "http://a.co.uk/",
    "a=1; Domain=co.uk",
    "http://b.co.uk/",
    "",
  ],
  "nor for a private one": [
    "http://a.github.io/",
    "a=1; Domain=github.io",
    "http://b.github.io/",
    "",
  ],
  "nor for the top": [`${H}/`, "a=1; Domain=com", "http://other.com/", ""],
  "names in capitals are the same host": ["http://WWW.Example.COM/", "a=1", `${H}/`, "a=1"],
  "a path goes below": [`${H}/`, "a=1; Path=/x", `${H}/x/y`, "a=1"],
  "not to what begins alike": [`${H}/`, "a=1; Path=/x", `${H}/xy`, ""],
  "nor above": [`${H}/`, "a=1; Path=/x", `${H}/`, ""],
  "the default path is that of the directory": [`${H}/x/y`, "a=1", `${H}/x/z`, "a=1"],
  "and not above it": [`${H}/x/y`, "a=1", `${H}/z`, ""],
  "a secure cookie goes to https alone": [`${S}/`, "a=1; Secure", `${H}/`, ""],
  "and does": [`${S}/`, "a=1; Secure", `${S}/`, "a=1"],
  "nobody sets it over http": [`${H}/`, "a=1; Secure", `${S}/`, ""],
  "an address has host-only cookies": ["http://10.0.0.1/", "a=1", "http://10.0.0.1/", "a=1"],
  "and no domain's": ["http://10.0.0.1/", "a=1; Domain=0.0.1", "http://20.0.0.1/", ""],
  "an address of IPv6 too": ["http://[::1]:80/", "a=1", "http://[::1]/", "a=1"],
  "localhost too": ["http://localhost:1/", "a=1", "http://localhost:2/", "a=1"],
  "__Host- needs Secure": [`${S}/`, "__Host-a=1; Path=/", `${S}/`, ""],
  "__Host- needs a path": [`${S}/`, "__Host-a=1; Secure", `${S}/`, ""],
  "__Host- has no domain": [
    `${S}/`,
    "__Host-a=1; Secure; Path=/; Domain=www.example.com",
    `${S}/`,
    "",
  ],
  "__Host- with all": [`${S}/`, "__Host-a=1; Secure; Path=/", `${S}/x`, "__Host-a=1"],
  "__host- in any case": [`${S}/`, "__hOsT-a=1; Path=/", `${S}/`, ""],
  "__Secure- needs Secure": [`${S}/`, "__Secure-a=1", `${S}/`, ""],
  "__secure- in any case": [`${S}/`, "__secure-a=1", `${S}/`, ""],
  "__Secure- with it": [`${S}/`, "__Secure-a=1; Secure", `${S}/`, "__Secure-a=1"],
  "Max-Age 0 is no cookie": [`${H}/`, "a=1; Max-Age=0", `${H}/`, ""],
  "Max-Age below 0 neither": [`${H}/`, "a=1; Max-Age=-5", `${H}/`, ""],
  "Max-Age counts more than Expires": [
    `${H}/`,
    "a=1; Max-Age=5; Expires=Sat, 01 Jan 1990 00:00:00 GMT",
    `${H}/`,
    "a=1",
  ],
  "an Expires that is none is ignored": [`${H}/`, "a=1; Expires=tomorrow", `${H}/`, "a=1"],
  "a Max-Age that is none is ignored": [`${H}/`, "a=1; Max-Age=1e3", `${H}/`, "a=1"],
  "quotes are part of the value": [`${H}/`, 'a="b c"', `${H}/`, 'a="b c"'],
  "an equals sign too": [`${H}/`, "a=b=c", `${H}/`, "a=b=c"],
  "an empty value": [`${H}/`, "a=", `${H}/`, "a="],
  "bytes beyond ASCII": [`${H}/`, "a=\u00e4", `${H}/`, "a=\u00e4"],
  "no name": [`${H}/`, "=1", `${H}/`, ""],
  nothing: [`${H}/`, "", `${H}/`, ""],
  "no equals sign": [`${H}/`, "a; Path=/", `${H}/`, ""],
  "control characters": [`${H}/`, "a=\u0001", `${H}/`, ""],
  "control characters behind a value": [`${H}/`, "a=b\nc", `${H}/`, ""],
  "control characters in an attribute": [`${H}/x`, "a=b; Path=/x\u007f", `${H}/x\u007f`, ""],
  "what no field can carry": [`${H}/`, "a=\u0100", `${H}/`, ""],
  "a name that is no token": [`${H}/`, "a[b c]\u00e4=1", `${H}/`, "a[b c]\u00e4=1"],
  "too large": [`${H}/`, `a=${"x".repeat(4096)}`, `${H}/`, ""],
  "just not too large": [`${H}/`, `a=${"x".repeat(4095)}`, `${H}/`, `a=${"x".repeat(4095)}`],
  "a domain that is too long": [
    `http://${"a.".repeat(600)}example.com/`,
    `a=1; Domain=${"a.".repeat(600)}example.com`,
    `http://${"a.".repeat(600)}example.com/`,
    "",
  ],
  "a path that is too long": [
    `${H}/`,
    `a=1; Path=/${"x".repeat(2000)}`,
    `${H}/${"x".repeat(2000)}`,
    "",
  ],
};

for (const [title, [from, line, to, sent]] of Object.entries(RULES)) {
  test(`CookieJar: ${title}`, () => {
    const jar = new CookieJar();
    jar.set(line, from);
    assert.equal(jar.cookiesFor(to).join("; "), sent);
  });
}

test("CookieJar: longer paths first, then older ones; the same name for several paths", () => {
  const jar = new CookieJar();
  for (const line of ["b=1; Path=/", "a=2; Path=/", "a=3; Path=/x", "c=4; Path=/x/y"])
    assert.ok(jar.set(line, `${H}/`));
  assert.deepEqual(jar.cookiesFor(`${H}/x/y/z`), ["c=4", "a=3", "b=1", "a=2"]);
  assert.ok(jar.set("b=5; Path=/", `${H}/`));
  assert.deepEqual(jar.cookiesFor(`${H}/`), ["b=5", "a=2"]);
  assert.equal(jar.size, 4);
  assert.ok(jar.set("b=; Path=/; Max-Age=0", `${H}/`));
  assert.equal(jar.size, 3);
});

test("CookieJar: http replaces and hides no cookie that is Secure", () => {
  const jar = new CookieJar();
  jar.set("a=1; Secure; Domain=example.com; Path=/login", `${S}/`);
  assert.equal(jar.set("a=evil; Path=/login", `${H}/`), false);
  assert.equal(jar.set("a=evil; Domain=example.com; Path=/login/x", `${H}/`), false);
  assert.equal(jar.set("a=; Max-Age=0; Domain=example.com; Path=/login", `${H}/`), false);
  assert.deepEqual(jar.cookiesFor(`${S}/login`), ["a=1"]);
  assert.equal(jar.set("a=other; Path=/", `${H}/`), true);
  assert.equal(jar.set("a=2; Domain=example.com; Path=/login; Secure", `${S}/`), true);
  assert.deepEqual(jar.cookiesFor(`${S}/login`), ["a=2", "a=other"]);
  // Of another host of the same site it hides nothing.
  jar.set("own=1; Secure", `${S}/`);
  assert.equal(jar.set("own=2", "http://other.example.com/"), true);
  assert.equal(jar.set("own=2; Domain=example.com", "http://other.example.com/"), false);
});

test("CookieJar: the time of the run decides what has expired, and use does not prolong it", async () => {
  await run(
    async () => {
      const jar = new CookieJar();
      jar.set("a=1; Max-Age=10", `${H}/`);
      jar.set("b=1; Expires=Sat, 01 Jan 2000 00:00:05 GMT", `${H}/`);
      jar.set("gone=1; Expires=Fri, 31 Dec 1999 23:59:59 GMT", `${H}/`);
      jar.set("c=1", `${H}/`);
      jar.set("long=1; Max-Age=99999999999999", `${H}/`);
      assert.deepEqual(jar.cookiesFor(`${H}/`), ["a=1", "b=1", "c=1", "long=1"]);
      await sleep(4000);
      assert.deepEqual(jar.cookiesFor(`${H}/`), ["a=1", "b=1", "c=1", "long=1"]);
      await sleep(2000);
      assert.deepEqual(jar.cookiesFor(`${H}/`), ["a=1", "c=1", "long=1"]);
      await sleep(3000);
      assert.deepEqual(jar.cookiesFor(`${H}/`), ["a=1", "c=1", "long=1"]);
      await sleep(2000);
      assert.deepEqual(jar.cookiesFor(`${H}/`), ["c=1", "long=1"]);
      await sleep(400 * 86_400_000);
      assert.deepEqual(jar.cookiesFor(`${H}/`), ["c=1"]);
      assert.equal(jar.size, 1);
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
});

test("CookieJar: names that objects have already are names like others", () => {
  const jar = new CookieJar();
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"])
    assert.ok(jar.set(`${name}=1; Path=/__proto__`, `${H}/`));
  assert.equal(jar.cookiesFor(`${H}/__proto__`).length, 4);
  assert.equal(({} as Record<string, unknown>)["1"], undefined);
  assert.equal(jar.cookiesFor("http://__proto__/").length, 0);
  jar.set("a=1", "http://constructor/");
  assert.deepEqual(jar.cookiesFor("http://constructor/"), ["a=1"]);
  const state = JSON.parse(
    '{"version":1,"cookies":[],"__proto__":{"polluted":1}}',
  ) as CookieJarState;
  assert.equal(CookieJar.from(state).size, 0);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("CookieJar: of one site so many are kept, those that were used last; all together so many", () => {
  const jar = new CookieJar({ siteCookiesMax: 3, cookiesMax: 5 });
  for (let count = 1; count <= 3; count += 1) jar.set(`a${count}=1`, "http://a.example.com/");
  jar.cookiesFor("http://a.example.com/");
  // All of a site, whichever host of it.
  jar.set("b=1", "http://b.example.com/");
  assert.equal(jar.size, 3);
  assert.deepEqual(jar.cookiesFor("http://a.example.com/"), ["a2=1", "a3=1"]);
  jar.set("x=1; Path=/x", "http://a.example.com/");
  assert.deepEqual(jar.cookiesFor("http://b.example.com/"), []);
  for (let count = 1; count <= 3; count += 1) jar.set(`c=1`, `http://c${count}.org/`);
  assert.equal(jar.size, 5);
  assert.deepEqual(jar.cookiesFor("http://a.example.com/x").length, 2);
  const large = new CookieJar();
  for (let count = 0; count < 5000; count += 1)
    large.set(`c${count}=1`, `http://h${count % 40}.org/`);
  assert.equal(large.size, 3000);
});

test("CookieJar: saved and loaded, it is the same; what has expired is not loaded", async () => {
  await run(
    async () => {
      const jar = new CookieJar();
      jar.set("host=1; Path=/; HttpOnly; SameSite=Lax", `${S}/`);
      jar.set("wide=2; Domain=example.com; Secure", `${S}/`);
      jar.set("short=3; Max-Age=10", `${S}/`);
      jar.set('a[b c]\u00e4="x y"=; Path=/x', `${S}/`);
      const text = JSON.stringify(jar);
      const same = CookieJar.from(JSON.parse(text) as CookieJarState);
      assert.equal(JSON.stringify(same), text);
      assert.deepEqual(same.cookiesFor("http://example.com/"), []);
      assert.deepEqual(same.cookiesFor("https://sub.example.com/"), ["wide=2"]);
      assert.deepEqual(same.cookiesFor(`${S}/`), ["host=1", "wide=2", "short=3"]);
      assert.equal(same.cookiesFor(`${S}/x`)[0], 'a[b c]\u00e4="x y"=');
      await sleep(10_000);
      assert.equal(CookieJar.from(JSON.parse(text) as CookieJarState).size, 3);
      assert.deepEqual(
        [...same].map(({ name, hostOnly, sameSite }) => [name, hostOnly, sameSite]),
        [
          ["a[b c]\u00e4", true, null],
          ["host", true, "lax"],
          ["wide", false, null],
          ["short", true, null],
        ],
      );
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  );
});

test("CookieJar: clear, and wrong arguments", () => {
  const jar = new CookieJar();
  jar.set("a=1", `${H}/`);
  jar.set("b=1", "http://example.org/");
  jar.clear(({ domain }) => domain === "example.org");
  assert.deepEqual(
    [...jar].map(({ name }) => name),
    ["a"],
  );
  assert.deepEqual(jar.cookiesFor("http://example.org/"), []);
  jar.clear();
  assert.equal(jar.size, 0);
  assert.deepEqual(jar.cookiesFor(`${H}/`), []);
  assert.throws(() => new CookieJar({ max: 1 } as object), /there is no such option/);
  assert.throws(() => new CookieJar({ cookiesMax: -1 }), RangeError);
  for (const state of [null, {}, { cookies: 1 }, { cookies: [null] }, { cookies: [{ name: "a" }] }])
    assert.throws(() => CookieJar.from(state as never), TypeError);
  const [good] = CookieJar.from({ version: 1, cookies: [kept] });
  assert.equal(good?.name, "a");
  for (const wrong of [
    { name: "" },
    { name: "a=b" },
    { name: "a;b" },
    { name: "a\n" },
    { name: " a" },
    { name: "a\u0100" },
    { value: "a\r\nb" },
    { value: "a;b" },
    { path: "x" },
    { hostOnly: 1 },
    { expiresAt: "1" },
    { createdAt: NaN },
  ])
    assert.throws(
      () => CookieJar.from({ version: 1, cookies: [{ ...kept, ...wrong } as never] }),
      TypeError,
      JSON.stringify(wrong),
    );
});

const kept = {
  name: "a",
  value: "1",
  domain: "example.com",
  path: "/",
  hostOnly: true,
  secure: false,
  httpOnly: false,
  sameSite: null,
  expiresAt: null,
  createdAt: 1,
} as const;

sitesTest(
  "cookies: none without the option; with it, across requests; shared by clients",
  async (sites) => {
    const set: string[] = ["a=1; Path=/", "bad", "b=2; Path=/; Domain=wild.test"];
    sites.answer = () =>
      new HttpResponse("", { headers: set.map((line): [string, string] => ["set-cookie", line]) });
    await using none = sites.client();
    await using client = sites.client({ cookies: true });
    await using other = sites.client({ cookies: client.cookies ?? false });
    for (const one of [none, none, client, client, other]) await one.request("http://a.wild.test/");
    await client.request("http://b.wild.test/");
    await client.request("http://a.wild.test/", { credentials: "omit" });
    assert.deepEqual(
      sites.seen.map((seen) => valuesOf(seen, "cookie").join()),
      ["", "", "", "a=1; b=2", "a=1; b=2", "b=2", ""],
    );
    assert.equal(none.cookies, null);
    assert.equal(other.cookies, client.cookies);
  },
);

sitesTest(
  "cookies: of one request come first, then those of its Cookie field, then the jar's; they are not kept",
  async (sites) => {
    await using client = sites.client({ cookies: true });
    client.cookies?.set("jar=1", "http://a.wild.test/");
    client.cookies?.set("both=jar", "http://a.wild.test/");
    await client.request("http://a.wild.test/", {
      headers: { cookie: "field=2; both=field; once=field" },
      cookies: { once: "3", __proto__x: "4" },
    });
    await client.request("http://a.wild.test/");
    await client.request("http://a.wild.test/", { cookies: {} });
    assert.deepEqual(
      sites.seen.map((seen) => valuesOf(seen, "cookie")),
      [
        ["field=2; both=field; once=3; __proto__x=4; jar=1"],
        ["jar=1; both=jar"],
        ["jar=1; both=jar"],
      ],
    );
  },
);

sitesTest("cookies: with credentials omitted none are taken", async (sites) => {
  sites.answer = () => new HttpResponse("", { headers: { "set-cookie": "a=1" } });
  await using client = sites.client({ cookies: true });
  await client.request("http://a.wild.test/", { credentials: "omit" });
  assert.equal(client.cookies?.size, 0);
});
