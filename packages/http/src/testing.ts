/**
 * What handlers are tested with: a server without sockets, and its client.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { HttpResponse } from "@arborio/http";
 * import { testClient } from "@arborio/http/testing";
 *
 * await run(async () => {
 *   await using client = testClient(() => new HttpResponse("hello"));
 *   const response = await client.fetch("/");
 *   console.assert((await response.text()) === "hello");
 * });
 * ```
 * @module
 */

export { testClient, type TestClient, type TestClientOptions } from "./testing/test-client.ts";
export type { TestRequestInit } from "./testing/test-request.ts";
