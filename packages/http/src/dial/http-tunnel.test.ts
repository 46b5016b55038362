/** Answers to CONNECT of all kinds, also of proxies that mean ill. */
import assert from "node:assert/strict";
import { now } from "arborio";
import { openHttpClient } from "../client/http-client.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import type { FailureReason } from "../connection/request-failed-error.ts";
import { saying } from "./proxies.test.kit.ts";
import { ProxyRefusedError } from "./proxy-refused-error.ts";
import { type Place, TRUSTED, worldTest } from "./worlds.test.kit.ts";

const URL_ASKED = "https://example.test/";
const OK = "HTTP/1.1 200 OK\r\n";

async function failure(place: Place, answer: string, after: "close" | "wait"): Promise<unknown> {
  await place.startProxy(3128, saying(answer, after));
  await using client = openHttpClient({
    proxy: "http://user:password@proxy.test:3128",
    tls: TRUSTED,
    timeouts: { connectMs: 5000 },
  });
  try {
    await client.request(URL_ASKED, { headers: { authorization: "Bearer secret" } });
  } catch (error) {
    return error;
  }
  throw assert.fail("there was a response");
}

/** What proxies answer, and what comes of it. */
const REFUSALS: readonly (readonly [
  answer: string,
  after: "close" | "wait",
  reason: FailureReason,
  message: RegExp,
])[] = [
  ["", "close", "disconnected", /ended the connection in place of an answer/],
  ["HTTP/1.1 200 O", "close", "disconnected", /ended the connection/],
  ["", "wait", "timeout", /connectMs/],
  ["HTTP/1.1 200 OK\r\n", "wait", "timeout", /connectMs/],
  ["HTTP/1.1 100 Continue\r\n\r\n", "wait", "timeout", /connectMs/],
  ["HTTP/1.1 100 Continue\r\n\r\n".repeat(9), "wait", "protocol", /more than 8 interim/],
  ["HTTP/1.1 101 Switching Protocols\r\n\r\n", "wait", "protocol", /by 101/],
  ["SSH-2.0-OpenSSH_9.2\r\n", "wait", "protocol", /breaks HTTP/],
  [`${OK}\r\nHTTP/1.1 200 OK\r\n\r\n`, "wait", "protocol", /19 bytes behind its answer/],
  [`${OK}\r\n\x15\x03\x03`, "wait", "protocol", /3 bytes behind its answer/],
  [`${OK}a: ${"b".repeat(20_000)}`, "wait", "protocol", /longer than/],
  [`${OK}${"a: b\r\n".repeat(200)}`, "wait", "protocol", /breaks HTTP/],
  [`${OK}${`a: ${"b".repeat(5000)}\r\n`.repeat(4)}`, "wait", "protocol", /breaks HTTP/],
  [`${OK}a : b\r\n\r\n`, "wait", "protocol", /breaks HTTP/],
  ["HTTP/1.1 302 Found\r\nlocation: http://evil.test/\r\n\r\n", "wait", "refused-by-proxy", /302/],
  ["HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nno!!", "wait", "refused-by-proxy", /403 F/],
  ["HTTP/1.0 503 Busy\r\n\r\n<html>", "close", "refused-by-proxy", /503 Busy/],
];

for (const [answer, after, reason, message] of REFUSALS) {
  const title = JSON.stringify(answer.slice(0, 40));
  worldTest(
    `CONNECT: answered by ${title}, then ${after}: ${reason}`,
    async (place) => {
      const error = await failure(place, answer, after);
      assert.ok(error instanceof RequestFailedError, String(error));
      assert.deepEqual([error.phase, error.reason], ["proxy", reason], String(error));
      assert.match(error.message, message);
      assert.ok(!error.message.includes("password"));
      if (reason === "timeout") assert.ok(now() >= 5000 && now() < 5500, String(now()));
      assert.deepEqual(place.seen, []);
      // Of the request, the proxy got nothing.
      assert.ok(!place.asked.join().includes("Bearer"));
    },
    [1, 2],
  );
}

worldTest("CONNECT: a 407 is told with its status and what the proxy wants", async (place) => {
  const answer = 'HTTP/1.1 407 Who?\r\nproxy-authenticate: Basic realm="a"\r\n\r\n';
  const error = await failure(place, answer, "close");
  assert.ok(error instanceof RequestFailedError);
  assert.equal(error.url, URL_ASKED);
  assert.match(
    error.message,
    /the proxy proxy\.test:3128 does not connect to example\.test:443: 407 Who\?$/,
  );
  assert.ok(error.cause instanceof ProxyRefusedError);
  assert.equal(error.cause.status, 407);
  assert.equal(error.cause.headers.get("Proxy-Authenticate"), 'Basic realm="a"');
});

worldTest("CONNECT: interim responses and lengths of nothing are passed over", async (place) => {
  const interim = "HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n";
  // RFC 9110 §9.3.6: what a 2xx says of its length means nothing.
  for (const [port, fields] of [
    [3128, "content-length: 7\r\n"],
    [3129, "transfer-encoding: chunked\r\n"],
    [3130, ""],
  ] as const) {
    const answer = `${interim}HTTP/1.1 204 Fine\r\n${fields}\r\n`;
    await place.startProxy(port, saying(answer, "tunnel"));
    await using client = openHttpClient({ proxy: `http://proxy.test:${port}`, tls: TRUSTED });
    assert.equal((await client.request(URL_ASKED)).text(), "hello from 443");
  }
});

worldTest("CONNECT: an address of IPv6 has its brackets", async (place) => {
  await place.startProxy(3128);
  await using client = openHttpClient({
    proxy: "http://proxy.test:3128",
    tls: { verify: false },
  });
  assert.equal((await client.request("https://[fd00::a1]/")).text(), "hello from 443");
  assert.match(
    place.asked[0] ?? "",
    /^CONNECT \[fd00::a1\]:443 HTTP\/1\.1\r\nhost: \[fd00::a1\]:443/,
  );
});
