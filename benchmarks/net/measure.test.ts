/** That what measures the servers is not deceived: wrong echoes, silent deaths, and every mode of the load. */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Command, MeasureOptions } from "../harness/suite.ts";
import { measureIdle, measureLoad, whyNoLoad } from "./measure.ts";

const options: MeasureOptions = { quick: true, remark: () => {} };

/** A server of this suite on Node. */
const server = (name: string): Command => ({
  command: process.execPath,
  args: ["--expose-gc", fileURLToPath(new URL(`servers/${name}.ts`, import.meta.url))],
});

/** A server that is wrong: what it does with each chunk is the body of a function of `socket` and `chunk`. */
const wrongServer = (body: string): Command => ({
  command: process.execPath,
  args: [
    "--eval",
    `const server = require("node:net").createServer((socket) => {
       socket.on("error", () => {});
       socket.on("data", (chunk) => { ${body} });
     });
     server.listen(0, "127.0.0.1", () =>
       console.log(JSON.stringify({ port: server.address().port, pid: process.pid })));
     process.stdin.on("end", () => process.exit()).resume();`,
  ],
});

describe("the load", { skip: await whyNoLoad() }, () => {
  const echo = measureLoad("echo", ["echo", 3, 1000]);

  test("measures rate and CPU time of small and large echoes", async () => {
    for (const bytes of [1, 1000, 1_000_000]) {
      const figures = await measureLoad("echo", ["echo", 3, bytes])(server("node-net"), options);
      assert.deepEqual(Object.keys(figures), ["echo", "echo-cpu"]);
      assert.ok((figures["echo"]?.[0] ?? 0) > 0);
      assert.ok((figures["echo-cpu"]?.[0] ?? -1) >= 0);
    }
  });

  test("measures connections that come and go", async () => {
    const figures = await measureLoad("accept", ["accept", 4])(server("node-net"), options);
    assert.ok((figures["accept"]?.[0] ?? 0) > 0);
  });

  test("measures idle connections", async () => {
    const figures = await measureIdle("idle", 1000)(server("node-net"), options);
    assert.equal(figures["idle"]?.length, 1);
  });

  test("refuses an echo of other bytes", async () => {
    await assert.rejects(
      echo(wrongServer("chunk[chunk.length - 1] ^= 1; socket.write(chunk);"), options),
      /the echo is not what was sent/,
    );
  });

  test("refuses an echo that is too short or too long", async () => {
    await assert.rejects(
      echo(wrongServer("socket.end(chunk.subarray(1));"), options),
      /the echo is not what was sent|ended after/,
    );
    await assert.rejects(
      echo(wrongServer("socket.write(chunk); socket.write(chunk);"), options),
      /more than it got|the echo is not what was sent/,
    );
  });

  test("says why a server died", async () => {
    await assert.rejects(
      echo(wrongServer("throw new Error('no more');"), options),
      /the server ended|Connection reset/,
    );
    const broken = { command: process.execPath, args: ["--eval", "throw new Error('no start')"] };
    await assert.rejects(echo(broken, options), /no start/);
  });
});
