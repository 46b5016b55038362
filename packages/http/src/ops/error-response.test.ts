import assert from "node:assert/strict";
import { test } from "node:test";
import { ExceptionGroup, TimeoutError } from "arborio";
import { ProtocolError } from "../protocol/protocol-error.ts";
import { BodyTooLargeError, HttpError } from "../web/http-error.ts";
import { errorResponse, isClientError } from "./error-response.ts";

const SECRET = "password=hunter2";

function asking(accept?: string): Request {
  return new Request("http://localhost/", accept === undefined ? {} : { headers: { accept } });
}

async function told(error: unknown, accept?: string, debug = false): Promise<[number, string]> {
  const response = errorResponse(error, asking(accept), { debug });
  return [response.status, await response.text()];
}

test("errorResponse: an HttpError is its status, fields and message; a server's error tells no message", async () => {
  assert.deepEqual(await told(new HttpError(404, "no such item")), [
    404,
    "404 Not Found: no such item\n",
  ]);
  assert.deepEqual(await told(new HttpError(503, SECRET)), [503, "503 Service Unavailable\n"]);
  assert.deepEqual(await told(new HttpError(403, SECRET, { expose: false })), [
    403,
    "403 Forbidden\n",
  ]);
  assert.deepEqual(await told(new HttpError(502, "later", { expose: true })), [
    502,
    "502 Bad Gateway: later\n",
  ]);
  assert.deepEqual(await told(new HttpError(499, "odd")), [499, "499 Error: odd\n"]);
  assert.equal((await told(new BodyTooLargeError(10)))[0], 413);
  const headers = {
    "retry-after": "10",
    "content-type": "image/png",
    "content-length": "5",
    vary: "cookie",
  };
  const response = errorResponse(new HttpError(429, "slow down", { headers }), asking());
  assert.equal(response.headers.get("retry-after"), "10");
  assert.equal(response.headers.get("content-type"), "text/plain;charset=utf-8");
  assert.equal(response.headers.get("content-length"), null);
  assert.equal(response.headers.get("vary"), "accept, cookie");
});

test("errorResponse: anything else is 500, a timeout 504, and nothing of it is told", async () => {
  const cause = new Error(SECRET);
  const errors = [
    new Error(SECRET, { cause }),
    SECRET,
    { message: SECRET },
    undefined,
    null,
    new ExceptionGroup([cause, new HttpError(404, SECRET)]),
  ];
  for (const error of errors) {
    for (const accept of ["text/plain", "text/html", "application/json"]) {
      const [status, body] = await told(error, accept);
      assert.equal(status, 500);
      assert.ok(!body.includes("hunter2") && !body.includes(".ts"), body);
    }
  }
  assert.deepEqual(await told(new TimeoutError(SECRET)), [504, "504 Gateway Timeout\n"]);
});

test("errorResponse: what a body that breaks the protocol is answered with", async () => {
  assert.deepEqual(await told(new ProtocolError(400, "chunk-size", "a chunk size is no number")), [
    400,
    "400 Bad Request: a chunk size is no number\n",
  ]);
  const response = errorResponse(
    new ProtocolError(431, "fields-max", "more than 128 fields"),
    null,
  );
  assert.equal(
    await response.text(),
    "431 Request Header Fields Too Large: more than 128 fields\n",
  );
});

test("errorResponse: a group with one error in it, however deep, is that error", async () => {
  const one = new ExceptionGroup([new ExceptionGroup([new HttpError(404, "gone")])]);
  assert.deepEqual(await told(one), [404, "404 Not Found: gone\n"]);
  assert.ok(isClientError(one));
});

test("errorResponse: text, HTML or JSON as the client likes it, text if it likes nothing of it", async () => {
  const typeFor = (accept?: string) =>
    errorResponse(new HttpError(404, "x"), asking(accept)).headers.get("content-type");
  const text = "text/plain;charset=utf-8";
  const html = "text/html;charset=utf-8";
  assert.equal(typeFor(), text);
  assert.equal(typeFor("*/*"), text);
  assert.equal(typeFor("image/png"), text);
  assert.equal(typeFor("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), html);
  assert.equal(typeFor("application/json"), "application/json");
  assert.equal(
    typeFor("application/problem+json, application/json;q=0.5"),
    "application/problem+json",
  );
  assert.equal(typeFor("text/html;q=0, application/json;q=0.1"), "application/json");
  assert.equal(typeFor(";;;,,,"), text);
  const [, problem] = await told(new HttpError(404, 'no "x"'), "application/json");
  assert.deepEqual(JSON.parse(problem), {
    type: "about:blank",
    title: "Not Found",
    status: 404,
    detail: 'no "x"',
  });
  const [, bare] = await told(new Error(SECRET), "application/json");
  assert.deepEqual(JSON.parse(bare), {
    type: "about:blank",
    title: "Internal Server Error",
    status: 500,
  });
});

test("errorResponse: what the message quotes becomes no markup, and no browser takes the page for something else", async () => {
  const attack = `<script>alert("x")</script>&'</pre>`;
  const response = errorResponse(new HttpError(400, attack), asking("text/html"));
  const body = await response.text();
  assert.ok(
    body.includes("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;&lt;/pre&gt;"),
    body,
  );
  assert.equal(body.match(/<script|<\/pre>/g)?.length, 1);
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(response.headers.get("content-security-policy"), "default-src 'none'");
});

test("errorResponse: debug tells what was thrown, with stack and causes, escaped; a circle of causes ends", async () => {
  const inner = new Error("inner <b>");
  const [status, body] = await told(new Error("outer", { cause: inner }), "text/plain", true);
  assert.equal(status, 500);
  assert.match(
    body,
    /^500 Internal Server Error: Error: outer\n[^]*error-response\.test\.[jt]s[^]*\ncaused by Error: inner <b>\n/,
  );
  assert.ok((await told(inner, "text/html", true))[1].includes("inner &lt;b&gt;"));
  assert.deepEqual(await told(SECRET, undefined, true), [
    500,
    `500 Internal Server Error: ${SECRET}\n`,
  ]);
  inner.cause = inner;
  assert.equal((await told(inner, undefined, true))[1].split("caused by").length, 8);
  assert.deepEqual(await told(new HttpError(404, "x"), undefined, true), [
    404,
    "404 Not Found: x\n",
  ]);
});

test("errorResponse: an error that cannot be told is 500", async () => {
  const odd = { toString: (): never => assert.fail("cannot be text") };
  assert.deepEqual(await told(odd, undefined, true), [500, "500 Internal Server Error\n"]);
  const headers = { "x-a": "b\r\nset-cookie: c" };
  assert.throws(() => new HttpError(404, "x", { headers }), TypeError, "told to who makes it");
  const error = new HttpError(404, "x");
  Object.defineProperty(error, "headers", { value: headers });
  assert.deepEqual(await told(error), [500, "500 Internal Server Error\n"]);
});

test("isClientError: what is the client's doing needs no report", () => {
  assert.ok(isClientError(new HttpError(404, "x")));
  assert.ok(isClientError(new ProtocolError(400, "bare-lf", "x")));
  for (const error of [
    new HttpError(500, "x"),
    new ProtocolError(501, "x", "x"),
    new Error("x"),
    undefined,
    new TimeoutError("x"),
  ])
    assert.equal(isClientError(error), false);
});
