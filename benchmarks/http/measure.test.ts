/** That what measures HTTP servers is not deceived: wrong answers, refusals, bodies cut short, connections that are closed. */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Command, MeasureOptions } from "../harness/suite.ts";
import { measureBodies, measureIdle, measureRequests, whyNoHttpLoad } from "./measure.ts";

const options: MeasureOptions = { quick: true, remark: () => {} };

/** A server of this suite on Node. */
const server = (name: string): Command => ({
  command: process.execPath,
  args: ["--expose-gc", fileURLToPath(new URL(`servers/${name}.ts`, import.meta.url))],
});

/** A server that is wrong: the body of a function of `request`, `response` and the number `n` of the request. */
const wrongServer = (body: string): Command => ({
  command: process.execPath,
  args: [
    "--eval",
    `let n = 0;
     const server = require("node:http").createServer(async (request, response) => {
       n++;
       const right = () => request.method === "GET"
         ? response.end("Hello, world!")
         : (response.setHeader("content-type", "application/json"), request.pipe(response));
       ${body}
     });
     server.listen(0, "127.0.0.1", () =>
       console.log(JSON.stringify({ port: server.address().port, pid: process.pid })));
     process.stdin.on("data", () => console.log("settled"));
     process.stdin.on("end", () => process.exit());`,
  ],
});

describe("the load of http", { skip: await whyNoHttpLoad() }, () => {
  test("measures requests: rate, CPU time, and latency unless pipelined", async () => {
    for (const kind of ["get", "post", "pipelined"] as const) {
      const figures = await measureRequests("x", kind)(server("node-http"), options);
      const latencies = kind === "pipelined" ? [] : ["x-p50", "x-p99"];
      assert.deepEqual(Object.keys(figures), ["x", "x-cpu", ...latencies]);
      for (const [figure, samples] of Object.entries(figures))
        assert.ok(samples.length === 1 && (samples[0] ?? 0) > 0, `${kind} ${figure}`);
    }
  });

  test("measures large bodies both ways", async () => {
    const figures = await measureBodies("x")(server("raw-net"), options);
    assert.deepEqual(
      Object.keys(figures),
      ["down", "up"].flatMap((way) => [`x-${way}`, `x-${way}-cpu`, `x-${way}-memory`]),
    );
  });

  test("measures idle connections", async () => {
    const figures = await measureIdle("x", 1000)(server("node-http"), options);
    assert.equal(figures["x"]?.length, 1);
  });

  test("refuses a server whose answers are wrong", async () => {
    const get = measureRequests("x", "get");
    await assert.rejects(
      get(wrongServer("response.end('Hello, word!')"), options),
      /GET gave "Hello, word!"/,
    );
    const noJson = "request.method === 'GET' ? right() : response.end('{}')";
    await assert.rejects(get(wrongServer(noJson), options), /POST gave .* of type none/);
  });

  test("refuses a server that fails under load", async () => {
    const get = measureRequests("x", "get");
    const later = "if (n > 5000) response.statusCode = 503; right();";
    await assert.rejects(get(wrongServer(later), options), /requests that were not answered/);
  });

  test("refuses a body of another length, and a count that is wrong", async () => {
    const bodies = measureBodies("x");
    await assert.rejects(bodies(wrongServer("right()"), options), /a body of 13 bytes/);
    const cut = "response.writeHead(200, { 'content-length': 2 ** 30 }); response.socket.end('x');";
    await assert.rejects(bodies(wrongServer(cut), options), /ended the connection within/);
  });

  test("refuses connections that do not stay", async () => {
    const closing = "response.setHeader('connection', 'close'); right();";
    await assert.rejects(measureIdle("x", 1000)(wrongServer(closing), options), /was closed/);
  });

  test("says why a server did not start", async () => {
    const broken = { command: process.execPath, args: ["--eval", "throw new Error('no start')"] };
    await assert.rejects(measureRequests("x", "get")(broken, options), /no start/);
  });
});
