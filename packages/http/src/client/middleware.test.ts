/** What middleware may do with requests and responses without breaking what stands around it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { retryRequests } from "../middleware/retry-requests.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import type { Middleware } from "./middleware.ts";
import { rawServer } from "./raw-server.test.kit.ts";

/** A server that answers `/` by this text, and all else by `end`; in virtual time. */
async function answering(
  first: string,
  middleware: readonly Middleware[],
  body: (client: HttpClient) => Promise<void>,
): Promise<void> {
  const main = (): Promise<void> =>
    taskGroup(async (group) => {
      let asked = 0;
      const server = await rawServer(group, async (peer) => {
        while ((await peer.request()) !== null)
          await (asked++ === 0 ? peer.send(first) : peer.answer("end"));
      });
      await using client = openHttpClient({ base: server.url, middleware });
      await body(client);
      assert.equal(client.statistics().connectionsActive, 0);
      group.cancel("all was asked");
    });
  await run(main, { signals: [], backend: simulator({ seed: 1 }) });
}

const reading: Middleware = async (request, next) => {
  const response = await next(request);
  if (response.status !== 200) assert.equal(await response.text(), "hello");
  return response;
};

const cloning: Middleware = async (request, next) => {
  const response = await next(request);
  if (response.status !== 200) assert.equal(await response.clone().text(), "hello");
  return response;
};

for (const [how, middleware] of [
  ["reads", reading],
  ["reads a clone of", cloning],
] as const) {
  void test(`middleware that ${how} the body of a redirect does not keep it from being followed`, async () => {
    const redirect = "HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-length: 5\r\n\r\nhello";
    await answering(redirect, [middleware], async (client) => {
      assert.equal((await client.request("/")).text(), "end");
    });
  });

  void test(`middleware that ${how} the body of a failure does not keep it from being tried again`, async () => {
    const failure = "HTTP/1.1 503 Later\r\ncontent-length: 5\r\n\r\nhello";
    await answering(failure, [retryRequests(), middleware], async (client) => {
      assert.equal((await client.request("/")).text(), "end");
    });
  });
}

void test("request.with: methods are as with fetch; there is no CONNECT, which would take the connection with it", async () => {
  for (const method of ["CONNECT", "connect", "a b", ""]) {
    const changing: Middleware = (request, next) => next(request.with({ method }));
    await answering("", [changing], async (client) => {
      await assert.rejects(client.request("/"), {
        name: "TypeError",
        message: /^request\.with\(\{ method \}\): got /,
      });
    });
  }
  const lower: Middleware = (request) => {
    assert.equal(request.with({ method: "post" }).method, "POST");
    assert.equal(request.with({ method: "patch" }).method, "patch");
    return Promise.resolve(request.respond(new Response("ok")));
  };
  await answering("", [lower], async (client) => {
    assert.equal((await client.request("/")).text(), "ok");
  });
});

void test("middleware that gives no response of a client is told so, by its name", async () => {
  for (const [given, message] of [
    [undefined, /^TypeError: middleware forgetful: got undefined, needs the response that next/],
    [new Response("hello"), /^TypeError: middleware forgetful: got \[object Response\], needs/],
  ] as const) {
    async function forgetful(): Promise<never> {
      return given as never;
    }
    await using client = openHttpClient({ middleware: [forgetful] });
    await assert.rejects(client.request("http://a.test/"), message);
  }
});
