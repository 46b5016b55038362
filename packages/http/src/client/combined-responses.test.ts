/** Responses that combinators give: their bodies can be read by who waited for them, and are given back when that one ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  any,
  asCompleted,
  gather,
  hedge,
  mapConcurrent,
  race,
  run,
  settle,
  sleep,
  taskGroup,
} from "arborio";
import { simulator } from "arborio/sim";
import { openServer } from "../server/open-server.ts";
import type { Server } from "../server/server.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { ClientResponse } from "./client-response.ts";
import { openHttpClient } from "./http-client.ts";

/** Answers at once, and takes its time for the body. */
function openSlow(): Promise<Server> {
  const body = new Uint8Array(1);
  return openServer(
    () =>
      new HttpResponse(async (sink) => {
        for (let count = 0; count < 3; count++) {
          await sink.send(body);
          await sleep(20);
        }
      }),
    { port: 0, host: "127.0.0.1" },
  );
}

for (const seed of [1, 2, 3]) {
  void test(`combinators give responses that can be read [seed ${seed}]`, () =>
    run(
      async () => {
        await using server = await openSlow();
        await using client = openHttpClient({ base: server.url });
        const ask = (): Promise<ClientResponse> => client.fetch("/");
        const responses = [
          await hedge([ask, ask], { afterMs: 1000 }),
          await race([ask, ask]),
          await any([ask]),
          ...(await gather([ask, () => gather([ask]).then(([inner]) => inner as ClientResponse)])),
          ...(await mapConcurrent([1, 2], ask, { concurrency: 2 })),
        ];
        for (const outcome of await settle([ask]))
          if (outcome.status === "fulfilled") responses.push(outcome.value);
        for await (const response of asCompleted([ask])) responses.push(response);
        for (const response of responses) assert.equal((await response.bytes()).length, 3);
        assert.equal(responses.length, 9);
        await sleep(1000);
        assert.equal(client.statistics().connectionsActive, 0);
      },
      { signals: [], backend: simulator({ seed }) },
    ));
}

void test("a response of a combinator that is forgotten is given back when the task ends that waited", () =>
  run(
    async () => {
      await using server = await openSlow();
      await using client = openHttpClient({ base: server.url });
      const warn = console.warn;
      const warnings: unknown[] = [];
      console.warn = (text) => warnings.push(text);
      try {
        await taskGroup(async (group) => {
          group.startSoon(async () => void (await any([() => client.fetch("/")])));
        });
      } finally {
        console.warn = warn;
      }
      assert.equal(warnings.length, 1);
      assert.equal(client.statistics().connectionsActive, 0);
    },
    { signals: [], backend: simulator({ seed: 1 }) },
  ));
