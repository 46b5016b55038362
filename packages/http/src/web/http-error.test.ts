import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyTooLargeError, HttpError, InvalidJsonError } from "./http-error.ts";

test("HttpError: says what to answer, and whether the client may know why", () => {
  const cause = new Error("disk full");
  const error = new HttpError(503, "later", { headers: { "retry-after": "10" }, cause });
  assert.deepEqual(
    [error.status, error.message, error.expose, error.cause],
    [503, "later", false, cause],
  );
  assert.deepEqual(error.headers, { "retry-after": "10" });
  assert.equal(new HttpError(404, "none").expose, true);
  assert.equal(new HttpError(404, "none", { expose: false }).expose, false);
  assert.equal(new HttpError(500, "told", { expose: true }).expose, true);
  assert.equal("cause" in new HttpError(404, "none"), false);
  assert.match(String(error), /^HttpError: later/);
});

test("HttpError: the status is one of an error", () => {
  for (const status of [0, 200, 399, 600, 404.5, NaN, "404"]) {
    assert.throws(() => new HttpError(status as number, "x"), RangeError, String(status));
  }
});

test("HttpError: knows its kinds, and only those", () => {
  const large = new BodyTooLargeError(10);
  assert.ok(
    large instanceof HttpError && large instanceof BodyTooLargeError && large instanceof Error,
  );
  assert.deepEqual([large.status, large.bytesMax, large.expose], [413, 10, true]);
  const json = new InvalidJsonError("x");
  assert.ok(
    json instanceof HttpError && json instanceof SyntaxError && json instanceof InvalidJsonError,
  );
  assert.ok(!((json as unknown) instanceof BodyTooLargeError));
  for (const other of [new Error("x"), { status: 404 }, null, undefined, 5]) {
    assert.ok(!(other instanceof HttpError));
  }
  class NotFound extends HttpError {
    constructor() {
      super(404, "none");
    }
  }
  assert.ok(new NotFound() instanceof NotFound && new NotFound() instanceof HttpError);
  assert.ok(!(large instanceof NotFound));
});
