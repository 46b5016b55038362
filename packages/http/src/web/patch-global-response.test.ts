import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { Hono } from "hono";
import { HttpResponse } from "./http-response.ts";
import { patchGlobalResponse } from "./patch-global-response.ts";
import { responseParts } from "./response-parts.ts";
import { testRequest } from "./request.test.kit.ts";

test("patchGlobalResponse: responses that others make are ours, and all else is as it was", () =>
  run(async () => {
    const theirs = globalThis.Response;
    const before = new Response("before");
    const undo = patchGlobalResponse();
    try {
      const made = new Response("hello", { status: 201 });
      assert.ok(made instanceof HttpResponse && made instanceof Response && made instanceof theirs);
      assert.deepEqual([made.status, await made.text()], [201, "hello"]);
      const json = Response.json({ a: 1 });
      assert.ok(json instanceof HttpResponse);
      assert.deepEqual(await json.json(), { a: 1 });
      assert.equal(Response.redirect("http://h/").status, 302);
      assert.equal(Response.error().type, "error");
      assert.ok(before instanceof Response && !(before instanceof HttpResponse));
      assert.equal(await before.text(), "before");
      class Own extends Response {}
      assert.ok(new Own("x") instanceof Own);
      assert.equal(await new Own("x").text(), "x");
    } finally {
      undo();
    }
    assert.equal(globalThis.Response, theirs);
  }));

test("patchGlobalResponse: a response of Hono's is text to be sent, not a stream", () =>
  run(async () => {
    const app = new Hono();
    app.use(async (c, next) => {
      await next();
      c.header("x-after", "1");
    });
    app.get("/", (c) => c.json({ a: 1 }));
    const undo = patchGlobalResponse();
    try {
      const { payload, fields, status } = responseParts(await app.fetch(testRequest()));
      assert.deepEqual([status, payload], [200, '{"a":1}']);
      assert.deepEqual(
        fields.map((text) => text.toLowerCase()),
        ["content-type", "application/json", "x-after", "1"],
      );
    } finally {
      undo();
    }
  }));
