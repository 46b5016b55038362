/** Options of clients and requests: what is wrong is said, by what was got and what is needed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { CookieJar } from "./cookie-jar.ts";
import type { FetchOptions, HttpClientOptions } from "./client-options.ts";
import { openHttpClient } from "./http-client.ts";

/** Options of a client, and what is said of them. */
const CLIENT: readonly (readonly [unknown, RegExp])[] = [
  ["x", /^TypeError: openHttpClient\(options\): got "x", needs an object$/],
  [null, /^TypeError: openHttpClient\(options\): got null, needs an object$/],
  [
    { bse: 1 },
    /^TypeError: openHttpClient\(\{ bse \}\): there is no such option; there are base, /,
  ],
  [{ toString: 1 }, /^TypeError: openHttpClient\(\{ toString \}\): there is no such option/],
  [{ method: "GET" }, /^TypeError: openHttpClient\(\{ method \}\): there is no such option/],
  [
    { base: "/v1/" },
    /^TypeError: openHttpClient\(\{ base \}\): got "\/v1\/", needs an absolute URL$/,
  ],
  [{ base: "ftp://a/" }, /^TypeError: openHttpClient\(\{ base \}\): got a URL of ftp:, needs http/],
  [{ base: "http://u:p@a/v1" }, /got "http:\/\/…@a\/v1", needs a path that ends with "\/"/],
  [{ base: "http://a/?x" }, /needs a path that ends with "\/", and no query/],
  [{ base: "http://a/#x" }, /needs a path that ends with "\/"/],
  [{ limits: 3 }, /^TypeError: openHttpClient\(\{ limits \}\): got 3, needs an object$/],
  [{ limits: { max: 3 } }, /openHttpClient\(\{ limits: \{ max \} \}\): there is no such option/],
  [
    { limits: { connectionsMax: 0 } },
    /^RangeError: .*connectionsMax \} \}\): got 0, needs at least 1$/,
  ],
  [
    { limits: { connectionsMax: 1.5 } },
    /^RangeError: .*got 1.5, needs a whole number, or Infinity$/,
  ],
  [{ limits: { redirectsMax: "1" } }, /^TypeError: .*got "1", needs a number$/],
  [{ limits: { redirectsMax: NaN } }, /^RangeError: .*got NaN, needs at least 0$/],
  [{ timeouts: { headMs: 0 } }, /^RangeError: .*headMs \} \}\): got 0, needs at least 1$/],
  [{ timeouts: { hadMs: 1 } }, /there is no such option; there are poolMs, connectMs/],
  [
    { headers: Promise.resolve({}) },
    /openHttpClient\(\{ headers \}\): got a promise, needs Headers/,
  ],
  [{ headers: 3 }, /openHttpClient\(\{ headers \}\): got 3, needs Headers/],
  [{ headers: { "a b": "1" } }, /got the field name "a b", needs a token/],
  [{ headers: { a: "1\r\nb: 2" } }, /needs characters of ISO 8859-1/],
  [
    { auth: "me:secret" },
    /^TypeError: openHttpClient\(\{ auth \}\): got text, needs \{ user, password \}/,
  ],
  [{ auth: { user: "me" } }, /needs \{ user, password \}/],
  [{ auth: { user: "me", password: "p", token: "t" } }, /needs \{ user, password \}/],
  [{ auth: { user: "m:e", password: "secret" } }, /the user's name has a colon/],
  [{ auth: { user: "me", password: "se\ncret" } }, /the password has control characters/],
  [{ auth: { token: "a b" } }, /bearerCredentials: got a text of 3 characters/],
  [{ redirect: "none" }, /got "none", needs one of "follow", "manual", "error"$/],
  [{ raiseForStatus: 1 }, /got 1, needs true, false, or a function/],
  [{ middleware: () => {} }, /needs a list of functions/],
  [{ middleware: [3] }, /needs a list of functions/],
  [{ cookies: {} }, /got \[object Object\], needs true, false or a CookieJar$/],
  [{ tls: true }, /tls/],
  [
    { decompress: 1 },
    /openHttpClient\(\{ decompress \}\): got 1, needs true, false or \{ ratioMax/,
  ],
  [{ decompress: null }, /got null, needs true, false or/],
  [
    { decompress: { bytesMax: 1 } },
    /openHttpClient\(\{ decompress: \{ bytesMax \} \}\): there is no such option; there are ratioMax/,
  ],
  [{ decompress: { ratioMax: 0 } }, /^RangeError: .*ratioMax \} \}\): got 0, needs at least 1$/],
];

for (const [options, message] of CLIENT) {
  test(`openHttpClient(${JSON.stringify(options)}) throws`, () => {
    assert.throws(
      () => openHttpClient(options as HttpClientOptions),
      (error) => message.test(String(error)) || assert.fail(String(error)),
    );
  });
}

/** Options of a request, and what is said of them. */
const FETCH: readonly (readonly [unknown, RegExp])[] = [
  ["x", /^TypeError: fetch\(url, options\): got "x", needs an object$/],
  [[], /needs an object$/],
  [
    { dispatcher: {} },
    /^TypeError: fetch\(\{ dispatcher \}\): there is no such option; there are method/,
  ],
  [{ agent: {} }, /there is no such option/],
  [{ method: "A B" }, /^TypeError: fetch\(\{ method \}\): got "A B", needs a token$/],
  [{ method: "" }, /needs a token$/],
  [{ method: 3 }, /got 3, needs a token$/],
  [{ method: "connect" }, /got CONNECT, which only proxies are asked with$/],
  [{ body: "x" }, /^TypeError: fetch: got a body and no method, needs one: \{ method: "POST" \}$/],
  [{ json: 1 }, /got a body and no method/],
  [{ method: "TRACE", body: "x" }, /got a body for TRACE, needs none/],
  [
    { method: "POST", body: "x", json: 1 },
    /got another body besides, needs one of body, json and form/,
  ],
  [{ method: "POST", form: {}, json: 1 }, /needs one of body, json and form/],
  [{ method: "POST", form: {}, body: "" }, /needs one of body, json and form/],
  [{ method: "POST", json: () => {} }, /fetch\(\{ json \}\): got .*, needs what JSON can express$/],
  [{ method: "POST", body: {} }, /fetch\(\{ body \}\): got \[object Object\], needs text, bytes/],
  [
    { method: "POST", form: { a: {} } },
    /fetch\(\{ form \}\): got \[object Object\] as the value of "a"/,
  ],
  [
    { method: "POST", body: { a: 1 } },
    /fetch\(\{ body \}\): got \[object Object\], needs text, .* for an object \{ json: object \}$/,
  ],
  [
    { middleware: function retrying() {} },
    /fetch\(\{ middleware \}\): got function retrying, needs a list/,
  ],
  [{ query: 3 }, /fetch\(\{ query \}\): got 3, needs a record or a list of pairs$/],
  [{ query: "a=1" }, /fetch\(\{ query \}\): got "a=1", needs a record or a list of pairs$/],
  [{ query: { a: Symbol("x") } }, /fetch\(\{ query \}\): got Symbol\(x\) as the value of "a"/],
  [{ query: [["a"]] }, /needs a name and a value$/],
  [{ cookies: "a=1" }, /fetch\(\{ cookies \}\): got "a=1", needs an object$/],
  [{ cookies: new CookieJar() }, /fetch\(\{ cookies \}\): got a CookieJar, needs a record/],
  [{ cookies: { "a b": "1" } }, /got the name "a b", needs a token/],
  [{ cookies: { a: "secret b" } }, /the value of "a" is no text, or has white space/],
  [{ cookies: { a: "secret;b=2" } }, /the value of "a" is no text, or has/],
  [{ cookies: { a: "secret\r\nb: 2" } }, /the value of "a" is no text, or has/],
  [{ redirectsMax: -1 }, /got -1, needs at least 0$/],
  [{ cache: "force-cache" }, /this cannot be honoured/],
  [{ cache: "only-if-cached" }, /this cannot be honoured/],
  [{ cache: "never" }, /needs one of "default", "no-store"/],
  [{ integrity: "sha256-abc" }, /fetch\(\{ integrity \}\): it cannot be honoured/],
  [{ credentials: "none" }, /needs one of "omit", "same-origin", "include"$/],
  [{ upgrade: true }, /got true, needs a protocol's name$/],
  [{ upgrade: "" }, /got "", needs a protocol's name$/],
  [{ upgrade: "a b" }, /got "a b", needs a protocol's name$/],
  [
    { signal: {} },
    /^TypeError: fetch\(\{ signal \}\): got \[object Object\], needs an AbortSignal$/,
  ],
  [{ headers: { host: "a b" } }, /fetch\(\{ headers \}\): got "a b" as Host, needs one host/],
  [{ headers: { host: "a.test/x" } }, /got "a.test\/x" as Host, needs one host/],
  [{ headers: { host: "me@a.test" } }, /got .* as Host, needs one host/],
  [{ headers: { host: "a.test:99999" } }, /got "a.test:99999" as Host, needs one host/],
  [
    {
      headers: [
        ["host", "a"],
        ["Host", "a"],
      ],
    },
    /got a second Host, needs one host/,
  ],
  [{ headers: { "content-length": "0x5" } }, /got "0x5" as Content-Length, needs digits$/],
  [{ headers: { "content-length": "-1" } }, /got "-1" as Content-Length, needs digits$/],
  [
    { auth: { token: "t" }, headers: { authorization: "x" } },
    /got an Authorization among the headers besides/,
  ],
  [{ auth: () => () => null }, /the function gave a function/],
  [
    { timeouts: { headMs: -1 } },
    /fetch\(\{ timeouts: \{ headMs \} \}\): got -1, needs at least 1$/,
  ],
];

for (const [options, message] of FETCH) {
  const shown = JSON.stringify(options, (_, value: unknown) =>
    typeof value === "function" ? "function" : value,
  );
  test(`client.fetch(url, ${shown}) rejects`, async () => {
    await using client = openHttpClient();
    await assert.rejects(client.fetch("http://localhost:1/", options as FetchOptions), (error) => {
      assert.match(String(error), message);
      assert.doesNotMatch(String(error), /secret/);
      return true;
    });
  });
}

/** What is no URL, and what is said of it: without credentials. */
const URLS: readonly (readonly [string, RegExp])[] = [
  ["/x", /^TypeError: fetch: got "\/x", needs an absolute URL, or a client with \{ base \}$/],
  ["http://me:secret@a b/", /^TypeError: fetch: got "http:\/\/…@a b\/", needs/],
  ["ftp://me:secret@a/", /^TypeError: fetch: got a URL of ftp:, needs http: or https:$/],
  ["data:,x", /a URL of data:/],
  ["http://a:99999/", /^TypeError: fetch: got "http:\/\/a:99999\/", needs a valid host and port$/],
  [`http://${"x".repeat(300)} /`, /x…", needs/],
];

test("client.fetch: what is no URL at all rejects; a URL of another class is taken by its text", async () => {
  await using client = openHttpClient({ base: "http://localhost:1/" });
  for (const url of [undefined, null, 3, {}, Symbol("x")])
    await assert.rejects(
      client.fetch(url as never),
      /^TypeError: fetch: got .*, needs a URL as text/,
    );
  const other = { toString: () => "ftp://example.test/" };
  await assert.rejects(client.fetch(other as never), /a URL of ftp:/);
});

for (const [url, message] of URLS) {
  test(`client.fetch(${JSON.stringify(url.slice(0, 40))}) rejects`, async () => {
    await using client = openHttpClient();
    await assert.rejects(client.fetch(url), (error) => {
      assert.match(String(error), message);
      assert.doesNotMatch(String(error), /secret/);
      return true;
    });
  });
}

test("client.fetch({ headers: { range } }) asks for parts of what is not compressed, unless told otherwise", () =>
  run(
    async () => {
      await using server = await openServer(
        ({ headers }) =>
          new HttpResponse(`${headers.get("range")}, ${headers.get("accept-encoding")}`),
        { port: 0, host: "127.0.0.1" },
      );
      await using client = openHttpClient({ base: server.url });
      const asked = async (headers: Record<string, string>): Promise<string> =>
        (await client.request("/", { headers })).text();
      assert.equal(await asked({ range: "bytes=0-9" }), "bytes=0-9, identity");
      assert.match(await asked({ range: "bytes=0-9", "accept-encoding": "br" }), /, br$/);
      assert.match(await asked({}), /gzip/);
    },
    { signals: [] },
  ));

test("client.fetch({ headers }): what is undefined is left out", () =>
  run(
    async () => {
      await using server = await openServer(
        ({ headers }) => new HttpResponse(`${headers.get("x-a")}, ${headers.get("accept")}`),
        { port: 0, host: "127.0.0.1" },
      );
      await using client = openHttpClient({ base: server.url });
      const headers = { "x-a": undefined, accept: undefined } as unknown as HeadersInit;
      assert.equal((await client.request("/", { headers })).text(), "null, */*");
    },
    { signals: [] },
  ));
