/** What advisories about clients were about, of what a client is asked for: each of these has once been so, in aiohttp. */
import assert from "node:assert/strict";
import { mock } from "node:test";
import { sleep } from "arborio";
import { HttpResponse } from "../web/http-response.ts";
import type { FetchOptions } from "./client-options.ts";
import { CookieJar } from "./cookie-jar.ts";
import type { CookieJarState } from "./cookie-state.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { sitesTest, valuesOf } from "./sites.test.kit.ts";

const A = "http://a.wild.test";

/** What would end a line and begin another, or has no business in a head. */
const INJECTED = ["\r\nx-evil: 1", "\nx-evil: 1", "\rx-evil: 1", "\0", "\u0001", "\u007f"];

sitesTest(
  "CVE-2023-49082, CVE-2026-34519, CVE-2026-34514, CVE-2026-50269: nothing that is given ends a line of the head",
  async (sites) => {
    await using client = sites.client();
    for (const evil of INJECTED) {
      const refused: readonly FetchOptions[] = [
        { method: `GET${evil}` },
        { headers: { [`x-a${evil}`]: "1" } },
        { headers: { "x-a": `1${evil}1` } },
        { headers: [["x-a", `1${evil}1`]] },
        { cookies: { [`a${evil}`]: "1" } },
        { cookies: { a: `1${evil}1` } },
        { auth: { user: `me${evil}`, password: "p" } },
        { auth: { token: `t${evil}` } },
        { upgrade: `a${evil}b` },
      ];
      for (const options of refused) {
        await assert.rejects(client.fetch(`${A}/`, options), (error) => {
          assert.ok(error instanceof TypeError, String(error));
          // Nor do messages end a line of a log.
          assert.doesNotMatch(error.message, /[\r\n]/);
          return true;
        });
      }
    }
    assert.equal(sites.seen.length, 0);
  },
);

sitesTest(
  "what a URL, a query or the base has of such is encoded, or dropped as the web does it",
  async (sites) => {
    await using client = sites.client();
    await client.request(`${A}/a\r\nx-evil: 1`, { query: { "a\r\nb": "c\r\nd" } });
    const [seen] = sites.seen;
    assert.ok(seen !== undefined);
    assert.equal(seen.target, "/ax-evil:%201?a%0D%0Ab=c%0D%0Ad");
    assert.deepEqual(valuesOf(seen, "x-evil"), []);
  },
);

sitesTest(
  "CVE-2026-34514, CVE-2026-50269: names and types of files end no line of their part",
  async (sites) => {
    await using client = sites.client();
    const form = new FormData();
    form.append('a"\r\nx-evil: 1', "1");
    form.append("file", new File(["x"], 'b"\r\nx-evil: 2', { type: "text/plain\r\nx-evil: 3" }));
    await client.request(`${A}/`, { method: "POST", form });
    const body = sites.seen[0]?.body ?? "";
    assert.match(body, /name="a%22%0D%0Ax-evil: 1"/);
    assert.match(body, /filename="b%22%0D%0Ax-evil: 2"/);
    assert.doesNotMatch(body, /^x-evil/m);
    for (const evil of ["\0", "\u0001", "\v", "\u007f"]) {
      for (const [name, fileName] of [
        [`a${evil}`, "b"],
        ["a", `b${evil}`],
      ] as const) {
        const refused = new FormData();
        refused.append(name, new File([`x${evil}`], fileName));
        await assert.rejects(
          client.request(`${A}/`, { method: "POST", form: refused }),
          /^TypeError: a form: got the name "[ab].*", needs one without control characters$/,
        );
      }
    }
    assert.equal(sites.seen.length, 1);
  },
);

sitesTest(
  "CVE-2025-69230: bad cookies are skipped without a word, and keep no good one away",
  async (sites) => {
    const warn = mock.method(console, "warn", () => {});
    const error = mock.method(console, "error", () => {});
    try {
      const lines = ["bad", "=", ";", "a=1; Domain=com", "b=\u0080\u00ff; Path=/", "good=1"];
      sites.answer = () =>
        new HttpResponse("", {
          headers: lines.map((line): [string, string] => ["set-cookie", line]),
        });
      await using client = sites.client({ cookies: true });
      await client.request(`${A}/`);
      assert.deepEqual(
        [...(client.cookies ?? [])].map(({ name }) => name),
        ["b", "good"],
      );
      assert.equal(warn.mock.callCount() + error.mock.callCount(), 0);
    } finally {
      warn.mock.restore();
      error.mock.restore();
    }
  },
);

sitesTest(
  "CVE-2026-54279, CVE-2026-34993: a host-only cookie stays one when it is saved and loaded; a file of cookies is data",
  async () => {
    const jar = new CookieJar();
    jar.set("a=1", `${A}/`);
    const text = JSON.stringify(jar);
    const same = CookieJar.from(JSON.parse(text) as CookieJarState);
    assert.deepEqual(same.cookiesFor("http://x.a.wild.test/"), []);
    assert.deepEqual(same.cookiesFor(`${A}/`), ["a=1"]);
    const evil = text.replace('"name":"a"', '"__proto__":{"polluted":1},"name":"__proto__"');
    CookieJar.from(JSON.parse(evil) as CookieJarState);
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  },
);

sitesTest(
  "errors show no credentials: of URLs, fields, cookies, proxies, in no message down to the last cause",
  async (sites) => {
    const auth = { user: "me", password: "s3cret" };
    await using client = sites.client({ auth, cookies: true, timeouts: { headMs: 1000 } });
    client.cookies?.set("a=s3cret", `${A}/`);
    sites.answer = ({ target }) => {
      if (target === "/redirect")
        return new HttpResponse("", {
          status: 302,
          headers: { location: "http://me:s3cret@a.wild.test:1/" },
        });
      if (target === "/scheme")
        return new HttpResponse("", { status: 302, headers: { location: "ftp://me:s3cret@a/" } });
      if (target === "/none")
        return new HttpResponse("", {
          status: 302,
          headers: { location: "http://me:s3cret@a b/" },
        });
      return sleep(1_000_000).then(() => new HttpResponse("late"));
    };
    for (const url of [
      "http://me:s3cret@a.wild.test:1/",
      "http://me:s3cret@nowhere.test/",
      "http://me:s3cret@a.wild.test/late",
      "http://me:s3cret@a.wild.test/redirect",
      "http://me:s3cret@a.wild.test/scheme",
      "http://me:s3cret@a.wild.test/none",
      "https://me:s3cret@a.wild.test:80/",
    ]) {
      await assert.rejects(client.fetch(url), (error) => {
        assert.ok(error instanceof RequestFailedError, String(error));
        for (let cause: unknown = error; cause !== undefined; cause = (cause as Error).cause)
          assert.doesNotMatch(`${String(cause)} ${JSON.stringify(cause)}`, /s3cret/);
        return true;
      });
    }
  },
);
