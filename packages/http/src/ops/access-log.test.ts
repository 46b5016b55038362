import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { now, run, sleep } from "arborio";
import { simulator } from "arborio/sim";
import fc from "fast-check";
import type { RequestHead } from "../protocol/message.ts";
import { accessLog, type AccessLogOptions } from "./access-log.ts";
import type { AccessLogEntry } from "./access-log-line.ts";
import type { TracedEnd, TracedRequest } from "./server-trace.ts";

const HEAD: RequestHead = {
  version: "1.1",
  fields: ["Host", "example.com", "User-Agent", "curl/8", "referer", "http://a.example/?b"],
  framing: 0,
  keepAlive: true,
  method: "GET",
  target: "/index.html?x=1",
  authority: "example.com",
  expectsContinue: false,
  upgrade: "",
};

const END = {
  outcome: "sent",
  status: 200,
  fields: ["Content-Type", "text/html", "X-Empty", ""],
  bodyBytes: 5120,
} as const;

function requestOf(head: RequestHead | null, host = "192.0.2.7"): TracedRequest {
  const connection = {
    peer: { host, port: 5000 },
    local: { host: "10.0.0.1", port: 80 },
    tls: undefined,
    openedAt: 0,
  };
  return { connection, scheme: "http", head, startedAt: now() };
}

/** In virtual time, a request that took 1234.5 ms. */
async function logged(
  options: Omit<AccessLogOptions, "sink">,
  head: Partial<RequestHead> | null = {},
  end: Partial<TracedEnd> = {},
): Promise<string> {
  const lines: string[] = [];
  await run(
    async () => {
      const trace = accessLog({ ...options, sink: (line) => lines.push(line) });
      assert.deepEqual(Object.keys(trace), ["requestEnd"]);
      const request = requestOf(head === null ? null : { ...HEAD, ...head });
      await sleep(1234.5);
      trace.requestEnd?.(request, { ...END, endedAt: now(), ...end });
    },
    { backend: simulator({ seed: 1 }) },
  );
  assert.equal(lines.length, 1);
  return lines[0] as string;
}

const BEGUN = "[01/Jan/2000:00:00:00 +0000]";

runnerTest("accessLog: common, combined and JSON", async () => {
  const common = `192.0.2.7 - - ${BEGUN} "GET /index.html?x=1 HTTP/1.1" 200 5120`;
  assert.equal(await logged({ format: "common" }), common);
  const combined = `${common} "http://a.example/?b" "curl/8"`;
  assert.equal(await logged({ format: "combined" }), combined);
  assert.equal(await logged({}), combined);
  assert.deepEqual(JSON.parse(await logged({ format: "json" })), {
    time: "2000-01-01T00:00:00.000Z",
    client: "192.0.2.7",
    scheme: "http",
    host: "example.com",
    method: "GET",
    target: "/index.html?x=1",
    version: "1.1",
    status: 200,
    outcome: "sent",
    bodyBytes: 5120,
    durationMs: 1234.5,
    referer: "http://a.example/?b",
    userAgent: "curl/8",
  });
});

runnerTest("accessLog: each directive of a template", async () => {
  const line = await logged({
    format: "%a|%t|%r|%s|%b|%T|%Tf|%D|%{uSER-agent}i|%{X-None}i|%{content-type}o|%{X-Empty}o|100%%",
  });
  assert.equal(
    line,
    `192.0.2.7|${BEGUN}|GET /index.html?x=1 HTTP/1.1|200|5120|1|1.234500|1234500|curl/8|-|text/html|-|100%`,
  );
  assert.equal(await logged({ format: "no directive" }), "no directive");
});

runnerTest(
  "accessLog: a template with a directive that does not exist is refused, and said where",
  () => {
    for (const format of ["%x", "a%", "%{X}e", "%{}i", "%{a b}i", "%P"])
      assert.throws(() => accessLog({ format }), {
        name: "RangeError",
        message: /index [01].*%Tf/,
      });
    assert.throws(() => accessLog({ trustProxies: ["x"] }), RangeError);
  },
);

runnerTest(
  "accessLog: a client that left without a response is 499, other ends say what was sent",
  async () => {
    const status = (end: Partial<TracedEnd>) => logged({ format: "%s %b" }, {}, end);
    assert.equal(
      await status({ outcome: "client-left", status: 0, fields: [], bodyBytes: 0 }),
      "499 0",
    );
    assert.equal(await status({ outcome: "client-left", status: 200, bodyBytes: 7 }), "200 7");
    assert.equal(await status({ outcome: "cut", status: 0, bodyBytes: 0 }), "- 0");
    assert.equal(await status({ outcome: "failed", status: 200, bodyBytes: 9 }), "200 9");
    const left = JSON.parse(
      await logged({ format: "json" }, {}, { outcome: "client-left", status: 0 }),
    );
    assert.deepEqual([left.status, left.outcome], [499, "client-left"]);
  },
);

runnerTest("accessLog: what was refused before it was a request has a line too", async () => {
  const end = { status: 400, fields: [], bodyBytes: 20 };
  assert.equal(await logged({}, null, end), `192.0.2.7 - - ${BEGUN} "-" 400 20 "-" "-"`);
  const entry = JSON.parse(await logged({ format: "json" }, null, end));
  assert.equal(entry.status, 400);
  assert.ok(!("method" in entry));
});

runnerTest(
  "accessLog: no client can begin a line, end a quote, or speak to a terminal",
  async () => {
    const attack = '/x" 200 1 "a\\"\r\n127.0.0.1 - - "\u001b[2J\u009b\u007f\u00e9\u0000';
    const head = { target: attack, fields: ["user-agent", attack] };
    const combined = await logged({}, head);
    assert.match(combined, /^[ -~]+$/);
    assert.match(
      combined,
      /GET \/x\\" 200 1 \\"a\\\\\\"\\x0D\\x0A127\.0\.0\.1 - - \\"\\x1B\[2J\\x9B\\x7F\\xE9\\x00 HTTP/,
    );
    const json = await logged({ format: "json" }, head);
    assert.match(json, /^[ -~]+$/);
    assert.equal(JSON.parse(json).userAgent, attack);
  },
);

runnerTest("accessLog: whatever is sent, a combined line is one line with its parts in place", () =>
  run(
    () => {
      let line = "";
      const trace = accessLog({ sink: (text) => void (line = text) });
      const bytes = fc.uint8Array().map((codes) => String.fromCharCode(...codes));
      fc.assert(
        fc.property(bytes, bytes, (target, agent) => {
          const request = requestOf({ ...HEAD, target, fields: ["user-agent", agent] });
          trace.requestEnd?.(request, { ...END, endedAt: now() });
          assert.match(line, /^[ -~]+$/);
          assert.match(
            line,
            /^192\.0\.2\.7 - - \[[^\]]+\] "(?:[^"\\]|\\.)*" 200 5120 "-" "(?:[^"\\]|\\.)*"$/,
          );
        }),
      );
    },
    { backend: simulator({ seed: 1 }) },
  ),
);

runnerTest("accessLog: the client through trusted proxies; entries instead of lines", async () => {
  const entries: AccessLogEntry[] = [];
  await run(
    async () => {
      const trace = accessLog({
        trustProxies: ["10.0.0.0/8"],
        write: (entry) => void entries.push(entry),
      });
      const fields = ["x-forwarded-for", "6.6.6.6, 198.51.100.1", "x-forwarded-proto", "https"];
      const request = requestOf({ ...HEAD, fields }, "10.0.0.9");
      await sleep(250);
      trace.requestEnd?.(request, { ...END, endedAt: now() });
    },
    { backend: simulator({ seed: 1 }) },
  );
  const [{ client, durationMs, at, status } = assert.fail()] = entries;
  assert.deepEqual(client, { address: "198.51.100.1", scheme: "https", host: "example.com" });
  assert.equal(durationMs, 250);
  assert.equal(new Date(at).toISOString(), "2000-01-01T00:00:00.000Z");
  assert.equal(status, 200);
});

runnerTest("accessLog: times of every month and of the turn of a second", async () => {
  const times: string[] = [];
  await run(
    async () => {
      const trace = accessLog({ format: "%t", sink: (line) => times.push(line) });
      const json = accessLog({ format: "json", sink: (line) => times.push(JSON.parse(line).time) });
      for (let month = 0; month < 12; month++) {
        const request = requestOf(HEAD);
        for (const hooks of [trace, json]) hooks.requestEnd?.(request, { ...END, endedAt: now() });
        const at = Date.UTC(2000, 0, 1) + now();
        const iso = new Date(at).toISOString();
        const name = new Date(at).toUTCString().split(" ")[2];
        assert.equal(times.pop(), iso);
        assert.equal(
          times.pop(),
          `[${iso.slice(8, 10)}/${name}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000]`,
        );
        await sleep(30.4 * 86_400_000 + 987);
      }
    },
    { backend: simulator({ seed: 1 }) },
  );
});

void runnerTest("accessLog: what are no options is refused: a format alone, or the handler", () => {
  for (const wrong of ["json", () => new Response("")])
    assert.throws(
      () => accessLog(wrong as object),
      /needs options, and gives hooks for \{ trace \}/,
    );
});
