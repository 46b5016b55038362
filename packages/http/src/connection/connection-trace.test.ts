/** What hooks of a server are told: of every connection and request, in pairs and in order, and nothing that is not so. */
import assert from "node:assert/strict";
import { sleep, sleepForever } from "arborio";
import type { ServerTrace, TracedConnection, TracedRequest } from "../ops/server-trace.ts";
import type { Handler } from "../server/handler.ts";
import { testClient } from "../testing/test-client.ts";
import { HttpError } from "../web/http-error.ts";
import { HttpResponse } from "../web/http-response.ts";
import { BusyWire, startServing } from "./busy-wire.test.kit.ts";
import { get, lines, RawClient, simTest } from "./raw-client.test.kit.ts";

/** Writes down what it is told, and whose it is. */
class Log implements ServerTrace {
  readonly lines: string[] = [];
  readonly #names = new Map<TracedConnection | TracedRequest, string>();
  #connections = 0;
  #requests = 0;

  connectionOpen(connection: TracedConnection): void {
    this.#names.set(connection, `c${(this.#connections += 1)}`);
    this.lines.push(`open ${this.#names.get(connection)}`);
  }

  connectionClose(connection: TracedConnection): void {
    this.lines.push(`close ${this.#names.get(connection)}`);
  }

  requestStart(request: TracedRequest): void {
    this.#names.set(request, `r${(this.#requests += 1)}`);
    const { head, connection, scheme } = request;
    const target = head === null ? "nothing" : `${head.method} ${head.target}`;
    this.lines.push(
      `start ${this.#names.get(request)} on ${this.#names.get(connection)}: ${scheme} ${target}`,
    );
  }

  requestError(request: TracedRequest, error: unknown): void {
    this.lines.push(`error ${this.#names.get(request)}: ${(error as Error).message}`);
  }

  requestEnd(
    request: TracedRequest,
    end: Parameters<NonNullable<ServerTrace["requestEnd"]>>[1],
  ): void {
    const { outcome, status, bodyBytes, fields } = end;
    const date = fields.includes("date") ? "dated" : "undated";
    this.lines.push(
      `end ${this.#names.get(request)}: ${outcome} ${status} ${bodyBytes} ${status === 0 ? "" : date}`.trim(),
    );
  }
}

const handler: Handler = async (request, context) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/missing") throw new HttpError(404, "not here");
  if (pathname === "/throws") throw new Error("no");
  if (pathname === "/never") return await sleepForever();
  if (pathname === "/switch") return context.upgrade(async () => {});
  if (pathname === "/fails") {
    return new HttpResponse(async (sink) => {
      await sink.send("some");
      throw new Error("cut");
    });
  }
  if (pathname === "/made") return new HttpResponse(async (sink) => sink.send("made"));
  return new HttpResponse("hello");
};

/** What a trace is told of one request on a connection of its own. */
async function told(request: string, leaveAfterMs = Infinity): Promise<string[]> {
  const trace = new Log();
  await using client = testClient(handler, {
    trace,
    onError() {},
    timeouts: { handlerMs: 1000, idleMs: 1000 },
  });
  const stream = client.connect();
  await new RawClient(stream).send(request);
  if (leaveAfterMs === Infinity) {
    await new RawClient(stream).rest();
  } else {
    await sleep(leaveAfterMs);
    stream.abort();
    await sleep(10);
  }
  await client.close();
  assert.equal(trace.lines.shift(), "open c1");
  assert.equal(trace.lines.pop(), "close c1");
  return trace.lines;
}

const close = "connection: close";

simTest("trace: requests that are answered, with status and bytes of the body", async () => {
  assert.deepEqual(
    await told(get("/") + get("/made") + lines("HEAD / HTTP/1.1", "host: a", close, "")),
    [
      "start r1 on c1: http GET /",
      "end r1: sent 200 5 dated",
      "start r2 on c1: http GET /made",
      "end r2: sent 200 4 dated",
      "start r3 on c1: http HEAD /",
      "end r3: sent 200 0 dated",
    ],
  );
});

simTest("trace: handlers and bodies that throw", async () => {
  assert.deepEqual(await told(get("/missing") + get("/throws") + get("/fails", close)), [
    "start r1 on c1: http GET /missing",
    "error r1: not here",
    "end r1: sent 404 24 dated",
    "start r2 on c1: http GET /throws",
    "error r2: no",
    "end r2: sent 500 26 dated",
    "start r3 on c1: http GET /fails",
    "error r3: cut",
    "end r3: failed 200 4 dated",
  ]);
});

simTest("trace: what is no request, and one that is cut short by a deadline", async () => {
  assert.deepEqual(
    (await told("NONSENSE\r\n\r\n")).map((line) => line.replace(/\d+ dated/, "N dated")),
    ["start r1 on c1: http nothing", "end r1: sent 400 N dated"],
  );
  const [start, end] = await told(get("/never"));
  assert.equal(start, "start r1 on c1: http GET /never");
  assert.match(String(end), /^end r1: sent 503 \d+ dated$/);
});

simTest("trace: a client that leaves, and a switch of protocols", async () => {
  assert.deepEqual(await told(get("/never"), 100), [
    "start r1 on c1: http GET /never",
    "end r1: client-left 0 0",
  ]);
  assert.deepEqual(await told(get("/switch", "connection: upgrade", "upgrade: x")), [
    "start r1 on c1: http GET /switch",
    "end r1: upgraded 101 0 dated",
  ]);
});

const FAILING = {
  "that throw": (): never => {
    throw new Error("hook");
  },
  "that are async and fail": (): never => Promise.reject(new Error("hook")) as never,
};

for (const [how, fail] of Object.entries(FAILING)) {
  simTest(`trace: hooks ${how} are reported, and change nothing`, async () => {
    const reported: unknown[] = [];
    const trace: ServerTrace = {
      connectionOpen: fail,
      connectionClose: fail,
      requestStart: fail,
      requestError: fail,
      requestEnd: fail,
    };
    const client = testClient(handler, { trace, onError: (error) => void reported.push(error) });
    assert.equal(await (await client.fetch("/")).text(), "hello");
    assert.equal((await client.fetch("/missing")).status, 404);
    await client.close();
    assert.equal(reported.length, 9);
  });
}

simTest("onError: what it fails with when it is async is said, and ends nothing", async () => {
  const said: unknown[][] = [];
  const { error: say } = console;
  console.error = (...words: unknown[]) => void said.push(words);
  try {
    const client = testClient(handler, {
      onError: (): never => Promise.reject(new Error("mine")) as never,
    });
    assert.equal((await client.fetch("/throws")).status, 500);
    await client.close();
  } finally {
    console.error = say;
  }
  assert.deepEqual(
    said.map(([text, thrown, , error]) => [text, String(thrown), String(error)]),
    [["onError of an HTTP server threw", "Error: mine", "Error: no"]],
  );
});

simTest("trace: a request that the server's end cuts off", async () => {
  const trace = new Log();
  const client = testClient(handler, { trace });
  await new RawClient(client.connect()).send(get("/never"));
  await sleep(10);
  await client.close();
  assert.match(String(trace.lines[2]), /^end r1: sent 503 \d+ dated$/);
});

simTest("a wire that cannot be opened is closed, and its connection forgotten", async (group) => {
  const log = new Log();
  const errors: unknown[] = [];
  class BrokenWire extends BusyWire {
    override open(): void {
      throw new RangeError("no");
    }
  }
  const wire = new BrokenWire();
  const core = startServing(group, wire, handler, {
    trace: log,
    onError: (error) => void errors.push(error),
  });
  await sleep(10);
  assert.equal(wire.state, "reset");
  assert.equal(core.statistics().connectionsOpen, 0);
  assert.deepEqual(log.lines, ["open c1", "close c1"]);
  assert.ok(errors.length === 1 && errors[0] instanceof RangeError);
});

simTest("a hook that throws when a connection is opened changes nothing for it", async (group) => {
  const errors: unknown[] = [];
  const wire = new BusyWire();
  startServing(group, wire, () => new HttpResponse("page"), {
    trace: {
      connectionOpen: () => {
        throw new RangeError("no");
      },
    },
    onError: (error) => void errors.push(error),
  });
  await sleep(10);
  wire.receive(get("/", "connection: close"));
  await sleep(10);
  while (wire.take()) await sleep(1);
  wire.finish();
  assert.match(wire.writes.join(""), /^HTTP\/1\.1 200 OK/);
  assert.ok(errors.length === 1 && errors[0] instanceof RangeError);
});
