/** A cancellation at every step of a redirect, and of a status that is raised: nothing is held, and what began is told to have ended. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, sleep } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import type { Handler } from "../server/handler.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import { StatusError } from "./status-error.ts";

/** Redirects twice, with bodies that come in pieces, and fails at last if it is asked to. */
const handler: Handler = async (request) => {
  const { pathname } = new URL(request.url);
  const body = await request.text();
  const next = { "/0": "/1", "/1": "/2" }[pathname];
  const status = next !== undefined ? 307 : body === "fail" ? 500 : 200;
  return new HttpResponse(
    async (sink) => {
      await sink.send("one ");
      await sleep(5);
      await sink.send(body);
    },
    {
      status,
      headers: { "set-cookie": "a=1", ...(next === undefined ? {} : { location: next }) },
    },
  );
};

function sweepTest(title: string, use: (client: HttpClient) => Promise<void>): void {
  for (const seed of [1, 2]) {
    test(`cancelEverywhere: ${title} [simulator, seed ${seed}]`, async () => {
      await run(
        async () => {
          const sweep = await cancelEverywhere(async (round) => {
            let begun = 0;
            let ended = 0;
            await using server = await openServer(handler, { port: 0, onError: () => {} });
            await using client = openHttpClient({
              base: server.url,
              cookies: true,
              trace: { requestStart: () => void (begun += 1), requestEnd: () => void (ended += 1) },
            });
            round.after(() => {
              assert.equal(client.statistics().connectionsOpen, 0);
              assert.equal(ended, begun);
            });
            await use(client);
          });
          assert.ok(sweep.rounds.waiting > 5, JSON.stringify(sweep));
        },
        { signals: [], backend: simulator({ seed }) },
      );
    });
  }
}

sweepTest("redirects with a body, cookies and a jar", async (client) => {
  const response = await client.request("/0", { method: "POST", body: "text" });
  assert.equal(response.text(), "one text");
  assert.equal(response.history.length, 2);
});

sweepTest("a status that is raised", async (client) => {
  const options = { method: "PUT", body: "fail", raiseForStatus: true };
  try {
    await client.fetch("/0", options);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    assert.equal(error.bodyText, "one fail");
  }
});
