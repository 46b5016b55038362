/** The hooks of a client: what they are told, in which order, and that nothing depends on them. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { gzipSync } from "node:zlib";
import { moveOnAfter, sleep } from "arborio";
import { exchangeAttributes, sentAttributes } from "../ops/client-trace-attributes.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { ClientTrace, ExchangeEnd, SentRequest } from "./client-trace.ts";
import { combineClientTraces } from "../ops/combine-client-traces.ts";
import { openHttpClient } from "./http-client.ts";
import { sitesTest } from "./sites.test.kit.ts";

const A = "http://a.wild.test";

/** All hooks, as lines. */
class Log implements ClientTrace {
  readonly lines: string[] = [];
  readonly ends: ExchangeEnd[] = [];
  readonly errors: unknown[] = [];
  readonly requests: SentRequest[] = [];
  readonly #numbers: Map<SentRequest, number> = new Map();

  requestStart(request: SentRequest): void {
    this.#numbers.set(request, this.#numbers.size + 1);
    this.requests.push(request);
    this.#add(request, `start ${request.method} ${request.url} resends ${request.resends}`);
  }

  connectionQueued(request: SentRequest): void {
    this.#add(request, "queued");
  }

  connectionStart(request: SentRequest): void {
    this.#add(request, "connecting");
  }

  connectionEnd(request: SentRequest, error: unknown): void {
    this.#add(request, `connected ${error === null ? "" : (error as Error).name}`.trimEnd());
  }

  connectionReused(request: SentRequest): void {
    this.#add(request, "reused");
  }

  uploadProgress(request: SentRequest, sent: number, total: number | undefined): void {
    this.#add(request, `sent ${sent} of ${total}`);
  }

  responseStart(request: SentRequest, response: { status: number }): void {
    this.#add(request, `head ${response.status}`);
  }

  downloadProgress(request: SentRequest, bytes: number): void {
    const last = this.lines.at(-1) ?? "";
    // The network cuts pieces as it likes.
    if (last.includes(" received ")) this.lines.pop();
    this.#add(request, `received ${bytes}`);
  }

  requestError(request: SentRequest, error: unknown): void {
    this.errors.push(error);
    this.#add(request, `error ${(error as Error).name}`);
  }

  requestEnd(request: SentRequest, end: ExchangeEnd): void {
    this.ends.push(end);
    this.#add(request, `end ${end.outcome} ${end.bodyBytes}`);
  }

  redirect(url: string, status: number, location: string): void {
    this.lines.push(`redirect ${status} ${url} ${location}`);
  }

  lookupStart(host: string): void {
    this.lines.push(`lookup ${host}`);
  }

  lookupEnd(host: string, addresses: readonly string[] | null, error: unknown): void {
    this.lines.push(`found ${host} ${addresses?.join() ?? (error as Error).name}`);
  }

  #add(request: SentRequest, line: string): void {
    this.lines.push(`${this.#numbers.get(request) ?? "?"} ${line}`);
  }
}

sitesTest("trace: a redirect, and a connection that is used again", async (sites) => {
  const trace = new Log();
  await using client = sites.client({ trace });
  sites.redirects(["http://me:secret@a.wild.test/1"]);
  await client.request(`${A}/0`);
  assert.deepEqual(trace.lines, [
    `1 start GET ${A}/0 resends 0`,
    "1 queued",
    "1 connecting",
    "lookup a.wild.test",
    "found a.wild.test 10.0.0.1",
    "1 connected",
    "1 head 302",
    "1 received 5",
    "1 end complete 5",
    `redirect 302 ${A}/0 ${A}/1`,
    `2 start GET ${A}/1 resends 1`,
    "2 reused",
    "2 head 200",
    "2 received 4",
    "2 end complete 4",
  ]);
});

sitesTest(
  "trace: bodies in pieces, both ways; what is left; what fails; what is cancelled",
  async (sites) => {
    const trace = new Log();
    await using client = sites.client({ trace });
    const lines = (): string[] =>
      trace.lines.splice(0).filter((line) => / (sent|received|end|error|head) /.test(line));
    sites.answer = () =>
      new HttpResponse(async (sink) => {
        for (let count = 0; count < 3; count += 1) {
          await sink.send("piece");
          await sleep(100);
        }
      });
    const body = async (sink: { send(piece: string): Promise<void> }): Promise<void> => {
      await sink.send("one");
      await sleep(10);
      await sink.send("two");
    };
    const whole = await client.request(`${A}/`, { method: "POST", body });
    assert.equal(whole.text(), "piecepiecepiece");
    assert.deepEqual(lines(), [
      "1 sent 3 of undefined",
      "1 sent 6 of undefined",
      "1 head 200",
      "1 received 15",
      "1 end complete 15",
    ]);
    {
      using response = await client.fetch(`${A}/`);
      await response.bodyStream?.receive();
    }
    assert.deepEqual(lines(), ["2 head 200", "2 received 5", "2 end left 5"]);
    const slow = sites.answer;
    sites.answer = async (seen) => {
      await sleep(1000);
      return await slow(seen);
    };
    await moveOnAfter(500, () => client.fetch(`${A}/`));
    assert.deepEqual(lines(), ["3 end cancelled 0"]);
    await assert.rejects(client.fetch("http://a.wild.test:1/"));
    assert.deepEqual(lines(), ["4 error RequestFailedError", "4 end failed 0"]);
    sites.answer = () =>
      new HttpResponse(async (sink) => {
        await sink.send("piece");
        await sleep(100);
        throw new Error("no more");
      });
    await assert.rejects(client.request(`${A}/`));
    assert.deepEqual(lines(), [
      "5 head 200",
      "5 received 5",
      "5 error RequestFailedError",
      "5 end failed 5",
    ]);
    const [first] = trace.ends;
    assert.ok(
      first !== undefined && first.endedAt >= (trace.requests[0]?.startedAt ?? Infinity) + 300,
    );
  },
);

sitesTest(
  "trace: middleware that sends again is seen to; what it answers itself is not",
  async (sites) => {
    const trace = new Log();
    await using client = sites.client({
      trace,
      middleware: [
        async (request, next) => {
          const first = await next(request);
          if (first.status === 200) return first;
          first.close();
          return await next(request.with({ headers: { "x-again": "1" } }));
        },
      ],
    });
    sites.answer = () => new HttpResponse("", { status: sites.seen.length === 1 ? 503 : 200 });
    await client.request(`${A}/`);
    assert.deepEqual(
      trace.requests.map(({ resends }) => resends),
      [0, 1],
    );
    await client.request(`${A}/`);
    assert.deepEqual(
      trace.requests.map(({ resends }) => resends),
      [0, 1, 0],
    );
  },
);

sitesTest(
  "trace: what hooks throw changes nothing, and is written to the console",
  async (sites) => {
    const warn = mock.method(console, "warn", () => {});
    try {
      const fail = (): never => {
        throw new RangeError("no");
      };
      const trace: ClientTrace = {
        requestStart: fail,
        responseStart: fail,
        requestEnd: fail,
        lookupStart: fail,
      };
      await using client = sites.client({ trace });
      assert.equal((await client.request(`${A}/`)).text(), "page");
      assert.deepEqual(
        warn.mock.calls.map(({ arguments: [line] }) => line as string),
        ["requestStart", "lookupStart", "responseStart", "requestEnd"].map(
          (hook) => `openHttpClient({ trace }): the hook ${hook} has thrown: RangeError: no`,
        ),
      );
    } finally {
      warn.mock.restore();
    }
  },
);

sitesTest("trace: hooks that are async fail nothing either", async (sites) => {
  const warn = mock.method(console, "warn", () => {});
  try {
    const asyncHook = (hook: () => unknown): ClientTrace => ({ requestStart: hook }) as ClientTrace;
    const failing = (name: string): ClientTrace =>
      asyncHook(async () => {
        await sleep(1);
        throw new RangeError(name);
      });
    const throwing: ClientTrace = {
      requestStart: () => {
        throw new TypeError("at once");
      },
    };
    let seen = 0;
    const told = async (trace: ClientTrace): Promise<string[]> => {
      await using client = sites.client({ trace });
      assert.equal((await client.request(`${A}/`)).text(), "page");
      await sleep(10);
      const lines = warn.mock.calls.map(({ arguments: [line] }) => line as string);
      return lines.slice(seen, (seen = lines.length));
    };
    const hook = "openHttpClient({ trace }): the hook requestStart has thrown: ";
    assert.deepEqual(await told(failing("one")), [`${hook}RangeError: one`]);
    const all = [failing("one"), throwing, failing("other"), { requestStart: () => {} }];
    const [line = "", ...others] = await told(combineClientTraces(...all));
    assert.deepEqual(others, []);
    for (const text of ["TypeError: at once", "RangeError: one", "RangeError: other"])
      assert.ok(line.startsWith(hook) && line.includes(text), line);
    const fine = combineClientTraces(
      asyncHook(async () => {}),
      { requestStart: () => {} },
    );
    assert.deepEqual(await told(fine), []);
  } finally {
    warn.mock.restore();
  }
});

sitesTest("trace: attributes under OpenTelemetry's names", async (sites) => {
  const trace = new Log();
  await using client = sites.client({ trace, headers: { "user-agent": "me" } });
  sites.redirects(["https://a.wild.test:8443/x?sig=secret&a=1"]);
  await client.request(`http://me:secret@a.wild.test/0`, { method: "BREW" });
  await assert.rejects(client.fetch("http://a.wild.test:1/"));
  const [first, second, third] = trace.requests as [SentRequest, SentRequest, SentRequest];
  assert.deepEqual(sentAttributes(first), {
    "http.request.method": "_OTHER",
    "http.request.method_original": "BREW",
    "url.full": `${A}/0`,
    "url.scheme": "http",
    "network.protocol.name": "http",
    "server.address": "a.wild.test",
    "server.port": 80,
    "user_agent.original": "me",
  });
  const attributes = sentAttributes(second);
  assert.equal(attributes["url.full"], "https://a.wild.test:8443/x?sig=REDACTED&a=1");
  assert.equal(attributes["http.request.resend_count"], 1);
  assert.equal(attributes["server.port"], 8443);
  assert.equal(sentAttributes({ ...third, url: "http://[::1]/" })["server.address"], "::1");
  const [redirected, , failed] = trace.ends as [ExchangeEnd, ExchangeEnd, ExchangeEnd];
  assert.deepEqual(exchangeAttributes(redirected), {
    "http.response.body.size": 5,
    "http.response.status_code": 302,
    "network.protocol.version": "1.1",
  });
  assert.deepEqual(exchangeAttributes(failed, trace.errors[0]), {
    "http.response.body.size": 0,
    "error.type": "unreachable",
  });
  const head = { fields: [], httpVersion: "1.1" };
  const typeOf = (end: Partial<ExchangeEnd>, error?: unknown): unknown =>
    exchangeAttributes({ ...failed, ...end }, error)["error.type"];
  assert.equal(typeOf({ outcome: "complete", response: { ...head, status: 404 } }), "404");
  assert.equal(typeOf({ outcome: "complete", response: { ...head, status: 200 } }), undefined);
  assert.equal(typeOf({ outcome: "cancelled" }), "cancelled");
  assert.equal(typeOf({ outcome: "failed" }), "_OTHER");
  assert.equal(typeOf({}, "text"), "_OTHER");
  assert.equal(typeOf({}, new RangeError()), "RangeError");
});

sitesTest(
  "trace: what came is told beside what it became; conventions want what came",
  async (sites) => {
    const trace = new Log();
    await using client = sites.client({ trace });
    const zipped = gzipSync("x".repeat(200_000));
    const headers = { "content-encoding": "gzip" };
    const small = gzipSync("y".repeat(1000));
    sites.answer = ({ target }) =>
      new HttpResponse(target === "/small" ? small : async (sink) => sink.send(zipped), {
        headers,
      });
    for (const [path, bytes, came] of [
      ["/large", 200_000, zipped.length],
      ["/small", 1000, small.length],
    ] as const) {
      assert.equal((await client.request(`${A}${path}`)).bytes.length, bytes);
      const end = trace.ends.at(-1) as ExchangeEnd;
      assert.deepEqual([end.bodyBytes, end.bytesReceived], [bytes, came]);
      assert.equal(exchangeAttributes(end)["http.response.body.size"], came);
    }
  },
);

void test("sentAttributes: what opens a signed URL is not told", () => {
  const request = { method: "GET", fields: [], resends: 0, startedAt: 0 };
  const shown = (query: string): unknown =>
    sentAttributes({ ...request, url: `https://a.test/k?${query}` })["url.full"];
  for (const name of [
    "AWSAccessKeyId",
    "Signature",
    "sig",
    "X-Goog-Signature",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "x-amz-security-token",
  ])
    assert.equal(shown(`a=1&${name}=s%2Fx&b=2`), `https://a.test/k?a=1&${name}=REDACTED&b=2`);
  const open = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261122T060000Z&mysig=1&design=2";
  assert.equal(shown(open), `https://a.test/k?${open}`);
});

sitesTest("combineClientTraces: each is told, in order, by its own methods", async (sites) => {
  const [one, other] = [new Log(), new Log()];
  const statuses: number[] = [];
  const trace = combineClientTraces(one, other, {
    responseStart: (_, { status }) => void statuses.push(status),
  });
  await using client = sites.client({ trace });
  await client.request(`${A}/`);
  assert.deepEqual(one.lines, other.lines);
  assert.equal(one.lines.at(-1), "1 end complete 4");
  assert.deepEqual(statuses, [200]);
});

sitesTest("trace: wrong hooks are told of", async () => {
  assert.throws(
    () => openHttpClient({ trace: { onRequestStart: () => {} } as never }),
    /^TypeError: openHttpClient\(\{ trace \}\): got no hook, needs some of requestStart, /,
  );
  assert.throws(
    () => openHttpClient({ trace: { requestStart: 1 } as never }),
    /requestStart \} \}\): got 1, needs a function/,
  );
  assert.throws(() => openHttpClient({ trace: 1 as never }), /got 1, needs an object/);
});
