import assert from "node:assert/strict";
import { test } from "node:test";
import type { Handler, RequestContext } from "@arborio/http";
import { UsageError } from "../command-error.ts";
import { chooseHandler } from "./choose-handler.ts";

const answers =
  (text: string): Handler =>
  () =>
    new Response(text);

class App {
  readonly #name: string = "an app";

  fetch(): Response {
    return new Response(this.#name);
  }
}

for (const [title, module, expected] of [
  [
    "a default function comes first",
    { default: answers("default"), fetch: answers("fetch") },
    "default",
  ],
  ["a function fetch", { fetch: answers("fetch"), handler: answers("handler") }, "fetch"],
  ["a function handler", { handler: answers("handler"), app: answers("app") }, "handler"],
  ["a default object with a function fetch, with its this", { default: new App() }, "an app"],
  ["an object app", { app: new App() }, "an app"],
] as const) {
  test(`chooseHandler: ${title}`, async () => {
    const handler = chooseHandler("app.ts", module);
    const response = await handler(new Request("http://h/"), {} as RequestContext);
    assert.equal(await response.text(), expected);
  });
}

for (const [title, module, message] of [
  [
    "nothing",
    { other: 1 },
    "app.ts exports no default, fetch, handler or app; it needs: export default (request) => new Response(…)",
  ],
  [
    "no function",
    { default: 1 },
    "app.ts: its default export is neither a function nor an object with a function fetch; it needs: export default (request) => new Response(…)",
  ],
  [
    "an object without fetch",
    { default: {}, fetch: answers("unused") },
    "app.ts: its default export is neither a function nor an object with a function fetch; it needs: export default (request) => new Response(…)",
  ],
] as const) {
  test(`chooseHandler: ${title} is an error of the command line`, () => {
    assert.throws(
      () => chooseHandler("app.ts", module),
      (error: unknown) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.message, message);
        return true;
      },
    );
  });
}
