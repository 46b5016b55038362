import assert from "node:assert/strict";
import { test } from "node:test";
import { createProxyChooser } from "./proxy-environment.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const chosen = (environment: Environment, url: string): string | null =>
  createProxyChooser(environment)(new URL(url))?.href ?? null;

test("createProxyChooser: the variable of the scheme, then that for all; lower case first", () => {
  const table: readonly (readonly [Environment, string, string | null])[] = [
    [{}, "http://a/", null],
    [{ http_proxy: "http://p:1" }, "http://a/", "http://p:1/"],
    [{ http_proxy: "http://p:1" }, "https://a/", null],
    [{ https_proxy: "http://p:1" }, "https://a/", "http://p:1/"],
    [{ https_proxy: "http://p:1" }, "http://a/", null],
    [{ HTTP_PROXY: "http://p:1" }, "http://a/", "http://p:1/"],
    [{ HTTP_PROXY: "http://p:1", http_proxy: "http://q:1" }, "http://a/", "http://q:1/"],
    [{ HTTPS_PROXY: "http://p:1", https_proxy: "" }, "https://a/", "http://p:1/"],
    [{ HTTPS_PROXY: "http://p:1", https_proxy: undefined }, "https://a/", "http://p:1/"],
    [{ ALL_PROXY: "http://p:1" }, "https://a/", "http://p:1/"],
    [{ all_proxy: "http://p:1", https_proxy: "http://q:1" }, "https://a/", "http://q:1/"],
    [{ all_proxy: "http://p:1", http_proxy: " " }, "http://a/", "http://p:1/"],
    [{ http_proxy: "http://p:1", https_proxy: "http://q:1" }, "ws://a/", "http://p:1/"],
    [{ http_proxy: "http://p:1", https_proxy: "http://q:1" }, "wss://a/", "http://q:1/"],
    [{ http_proxy: "http://p:1", WS_PROXY: "http://r:1" }, "ws://a/", "http://r:1/"],
    [{ all_proxy: "http://p:1" }, "file:///a", null],
    [{ no_proxy: "http://p:1" }, "no://a/", null],
  ];
  for (const [environment, url, expected] of table) {
    assert.equal(chosen(environment, url), expected, `${JSON.stringify(environment)} ${url}`);
  }
});

test("createProxyChooser: HTTP_PROXY counts nothing where a request may have set it (CVE-2016-5385)", () => {
  const environment = { HTTP_PROXY: "http://evil:1", REQUEST_METHOD: "GET" };
  assert.equal(chosen(environment, "http://a/"), null);
  assert.equal(chosen(environment, "ws://a/"), null);
  assert.equal(chosen({ ...environment, REQUEST_METHOD: "" }, "http://a/"), null);
  assert.equal(chosen({ ...environment, http_proxy: "http://p:1" }, "http://a/"), "http://p:1/");
  assert.equal(chosen({ ...environment, HTTPS_PROXY: "http://p:1" }, "https://a/"), "http://p:1/");
});

test("createProxyChooser: no_proxy, with the port that the URL has or means", () => {
  const environment = {
    all_proxy: "http://p:1",
    no_proxy: "a.example:443,b.example:80,[::1],*.c.example",
  };
  const table: readonly (readonly [string, boolean])[] = [
    ["https://a.example/", true],
    ["wss://a.example/", true],
    ["http://a.example:443/", true],
    ["http://a.example/", false],
    ["http://b.example/", true],
    ["ws://x.b.example/", true],
    ["https://b.example/", false],
    ["http://[::1]:5/", true],
    ["http://x.c.example/", true],
    ["http://c.example/", false],
  ];
  for (const [url, isExempt] of table) {
    assert.equal(chosen(environment, url) === null, isExempt, url);
  }
  assert.equal(chosen({ ALL_PROXY: "http://p:1", NO_PROXY: "a" }, "http://a/"), null);
  assert.equal(chosen({ ALL_PROXY: "x://", NO_PROXY: "a" }, "http://a/"), null);
});

test("createProxyChooser: a proxy is a URL, or a host and its port", () => {
  for (const [value, expected] of [
    ["proxy.example:3128", "http://proxy.example:3128/"],
    ["proxy.example", "http://proxy.example/"],
    ["[::1]:3128", "http://[::1]:3128/"],
    ["u:p@proxy.example:1", "http://u:p@proxy.example:1/"],
    [" https://proxy.example ", "https://proxy.example/"],
    ["socks5h://u:p@proxy.example:1080", "socks5h://u:p@proxy.example:1080"],
    ["SOCKS4A://proxy.example", "socks4a://proxy.example"],
  ] as const) {
    assert.equal(chosen({ https_proxy: value }, "https://a/"), expected, value);
  }
});

test("createProxyChooser: what cannot be understood is an error without the password, not a way around the proxy", () => {
  for (const value of [
    "http://u:secret@",
    "http://u:secret@[",
    "u:secret@a b",
    "ftp://u:secret@proxy.example",
    "socks://u:secret@proxy.example",
    "socks5://",
    "http://u:secret@proxy.example:99999",
  ]) {
    const choose = createProxyChooser({ HTTPS_PROXY: value });
    assert.equal(choose(new URL("http://a/")), null);
    const check = (error: unknown): boolean =>
      error instanceof TypeError &&
      error.message.startsWith("HTTPS_PROXY: ") &&
      !error.message.includes("secret");
    assert.throws(() => choose(new URL("https://a/")), check, value);
  }
});

test("createProxyChooser: what the variables become later counts nothing", () => {
  const environment: Record<string, string> = { http_proxy: "http://p:1" };
  const choose = createProxyChooser(environment);
  environment["http_proxy"] = "http://q:1";
  environment["no_proxy"] = "*";
  assert.equal(choose(new URL("http://a/"))?.href, "http://p:1/");
});
