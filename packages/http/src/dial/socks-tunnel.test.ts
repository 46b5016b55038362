/** SOCKS proxies that refuse, break off, stall, or mean ill. */
import assert from "node:assert/strict";
import { now } from "arborio";
import { openHttpClient } from "../client/http-client.ts";
import { type FailureReason, RequestFailedError } from "../connection/request-failed-error.ts";
import { SocksError } from "../protocol/socks/socks-error.ts";
import type { ProxyHandler } from "./proxies.test.kit.ts";
import { TRUSTED, worldTest } from "./worlds.test.kit.ts";

/** Answers each message of the client by the next of these, then ends the connection, or waits. */
function answering(answers: readonly (readonly number[])[], after: "close" | "wait"): ProxyHandler {
  return async (stream, log) => {
    for (const answer of answers) {
      log.push((await stream.receive()).join(" "));
      await stream.send(Uint8Array.from(answer));
    }
    if (answers.length === 0) await stream.receive();
    if (after === "wait") for await (const chunk of stream) log.push(chunk.join(" "));
  };
}

const OK = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const HTTP = [...new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")];

const REFUSALS: readonly (readonly [
  proxy: string,
  answers: readonly (readonly number[])[],
  after: "close" | "wait",
  reason: FailureReason,
  message: RegExp,
])[] = [
  ["socks5h", [], "close", "disconnected", /ended the connection in place of an answer/],
  ["socks5h", [[5, 0]], "close", "disconnected", /ended the connection/],
  ["socks5h", [[5, 0], OK.slice(0, 9)], "close", "disconnected", /ended the connection/],
  ["socks5h", [], "wait", "timeout", /connectMs/],
  ["socks5h", [[5, 0], OK.slice(0, 9)], "wait", "timeout", /connectMs/],
  ["socks5h", [HTTP], "wait", "protocol", /not SOCKS/],
  ["socks5h", [[5, 0, 5, 0, 0]], "wait", "protocol", /more than it was asked for/],
  [
    "socks5h",
    [
      [5, 0],
      [...OK, 72],
    ],
    "wait",
    "protocol",
    /1 bytes behind its answer/,
  ],
  [
    "socks5h",
    [
      [5, 0],
      [5, 2, 0, 1],
    ],
    "close",
    "refused-by-proxy",
    /rules do not allow/,
  ],
  [
    "socks5h",
    [
      [5, 0],
      [5, 5, 0, 1],
    ],
    "wait",
    "refused-by-proxy",
    /refuses the connection/,
  ],
  ["socks5h", [[5, 255]], "wait", "refused-by-proxy", /it wants a user and a password/],
  ["socks4a", [[0, 91, 0, 0, 0, 0, 0, 0]], "wait", "refused-by-proxy", /reply 91/],
  ["socks4a", [[0, 90, 0, 0, 0, 0, 0, 0, 1]], "wait", "protocol", /1 bytes behind/],
  ["socks4a", [OK], "wait", "protocol", /not SOCKS/],
  ["socks4a", [], "wait", "timeout", /connectMs/],
];

for (const [scheme, answers, after, reason, message] of REFUSALS) {
  const title = JSON.stringify(answers).slice(0, 60);
  worldTest(
    `${scheme}: answers of ${title}, then ${after}: ${reason}`,
    async (place) => {
      await place.startProxy(1080, answering(answers, after));
      await using client = openHttpClient({
        proxy: `${scheme}://proxy.test`,
        tls: TRUSTED,
        timeouts: { connectMs: 5000 },
      });
      await assert.rejects(client.request("https://example.test/"), (error) => {
        assert.ok(error instanceof RequestFailedError, String(error));
        assert.deepEqual([error.phase, error.reason], ["proxy", reason], String(error));
        assert.match(error.message, message);
        if (reason === "refused-by-proxy") assert.ok(error.cause instanceof SocksError);
        return true;
      });
      if (reason === "timeout") assert.ok(now() >= 5000 && now() < 5500, String(now()));
      assert.deepEqual(place.seen, []);
    },
    [1, 2],
  );
}
