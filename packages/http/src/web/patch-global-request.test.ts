import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { patchGlobalRequest } from "./patch-global-request.ts";
import { testRequest } from "./request.test.kit.ts";

const FIELDS = ["content-type", "text/x"];

test("patchGlobalRequest: our requests can be copied, and all else is as it was", () =>
  run(async () => {
    const theirs = globalThis.Request;
    // Where this holds no more, the patch can go.
    if (!("Bun" in globalThis)) assert.throws(() => new Request(testRequest()), TypeError);
    const undo = patchGlobalRequest();
    try {
      const ours = testRequest({ method: "PUT", target: "/x", fields: FIELDS, body: "hello" });
      const copy = new Request(ours);
      assert.ok(copy instanceof Request && copy instanceof theirs && ours instanceof Request);
      assert.deepEqual(
        [copy.method, copy.url, copy.headers.get("content-type")],
        ["PUT", "http://example.com/x", "text/x"],
      );
      assert.equal(await copy.text(), "hello");
      assert.equal(ours.bodyUsed, true);
      const other = testRequest({ method: "PUT", fields: FIELDS, body: "hello" });
      const changed = new Request(other, { method: "POST", headers: { a: "1" }, body: "bye" });
      assert.deepEqual(
        [changed.method, changed.headers.get("a"), await changed.text()],
        ["POST", "1", "bye"],
      );
      assert.equal(other.bodyUsed, false);
      assert.equal(new Request("http://h/", { method: "PUT" }).method, "PUT");
      assert.equal(new Request(new Request("http://h/", { method: "PUT" })).method, "PUT");
      class Own extends Request {}
      assert.ok(new Own("http://h/") instanceof Own);
    } finally {
      undo();
    }
    assert.equal(globalThis.Request, theirs);
  }));

test("patchGlobalRequest: Hono's bodyLimit takes a body of unknown length", () =>
  run(async () => {
    const app = new Hono();
    app.post("/", bodyLimit({ maxSize: 5 }), async (c) => c.text(await c.req.text()));
    const undo = patchGlobalRequest();
    try {
      const fields = ["transfer-encoding", "chunked"];
      const fits = await app.fetch(testRequest({ fields, body: "hello" }));
      assert.deepEqual([fits.status, await fits.text()], [200, "hello"]);
      const large = await app.fetch(testRequest({ fields, body: "hello!" }));
      assert.equal(large.status, 413);
    } finally {
      undo();
    }
  }));

test("HttpRequest: a copy by new Request(request.url, request) needs no patch", () =>
  run(async () => {
    const copy = new Request(
      "http://other/",
      testRequest({ method: "PUT", fields: FIELDS, body: "hello" }),
    );
    assert.deepEqual(
      [copy.method, copy.headers.get("content-type"), await copy.text()],
      ["PUT", "text/x", "hello"],
    );
  }));
