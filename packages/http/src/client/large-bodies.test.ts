/**
 * Bodies that are larger than what a client may keep in memory, both ways. By default they are small enough for every run of the tests; with
 * `ARBORIO_LARGE_BODIES=1` they have 1 GiB.
 */
import assert from "node:assert/strict";
import { env, memoryUsage, versions } from "node:process";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { run } from "arborio";
import { openServer } from "../server/open-server.ts";
import type { HttpRequest } from "../web/http-request.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openHttpClient } from "./http-client.ts";

const MIB = 1_048_576;
const BYTES = env["ARBORIO_LARGE_BODIES"] === "1" ? 1024 * MIB : 192 * MIB;

/** More than this, in bytes, no body costs: what is on its way, and what collectors leave lying about. */
const MEMORY_BYTES_MAX = 128 * MIB;

const PIECE = new Uint8Array(MIB).map((_, index) => index % 251);

/** Counts bytes, and sees how much memory there is meanwhile. */
class Meter {
  readonly #before: number;
  #seenAt = 0;
  bytes = 0;
  highest = 0;

  constructor() {
    // What others have left is not to make room for more.
    collectGarbage?.();
    this.#before = bytesUsed();
  }

  add(piece: Uint8Array): void {
    this.bytes += piece.length;
    if (this.bytes - this.#seenAt < MIB) return;
    this.#seenAt = this.bytes;
    if (this.#grown() >= MEMORY_BYTES_MAX) collectGarbage?.();
    this.highest = Math.max(this.highest, this.#grown());
  }

  #grown(): number {
    return bytesUsed() - this.#before;
  }
}

const collectGarbage = garbageCollector();

/**
 * Where garbage is not collected early enough to count as memory that is needed: Bun runs many test files in one process, and the larger the
 * heap that others leave, the later it looks by itself; Deno looks when 100 to 200 MiB have come, by a bare socket of `node:net` too.
 */
function garbageCollector(): (() => void) | undefined {
  const { Bun } = globalThis as { Bun?: { gc: (isForced: boolean) => void } };
  if (Bun !== undefined) return () => Bun.gc(true);
  if (!("deno" in versions)) return undefined;
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** What is alive or not collected yet, without what the runtime itself has reserved. */
function bytesUsed(): number {
  const { heapUsed, external } = memoryUsage();
  return heapUsed + external;
}

async function sendAll(sink: { send(piece: Uint8Array): Promise<void> }): Promise<void> {
  for (let sent = 0; sent < BYTES; sent += PIECE.length) await sink.send(PIECE);
}

for (const isKnown of [true, false]) {
  const how = isKnown ? "with a length" : "in chunks";
  void test(`${BYTES / MIB} MiB down ${how}: all of it comes, and memory stays as it was`, async () => {
    await run(async () => {
      const headers: Record<string, string> = isKnown ? { "content-length": `${BYTES}` } : {};
      await using server = await openServer(() => new HttpResponse(sendAll, { headers }), {
        port: 0,
      });
      await using client = openHttpClient({ base: server.url });
      using response = await client.fetch("/");
      const meter = new Meter();
      for await (const piece of response.bodyStream ?? []) meter.add(piece);
      assert.equal(meter.bytes, BYTES);
      assert.ok(meter.highest < MEMORY_BYTES_MAX, `${Math.round(meter.highest / MIB)} MiB`);
    });
  });

  void test(`${BYTES / MIB} MiB up ${how}: all of it arrives, and memory stays as it was`, async () => {
    await run(async () => {
      const meter = new Meter();
      await using server = await openServer(
        async (request) => {
          const { bodyStream } = request as HttpRequest;
          (request as HttpRequest).bodyBytesMax = Infinity;
          for await (const piece of bodyStream ?? []) meter.add(piece);
          return new HttpResponse("ok");
        },
        { port: 0 },
      );
      await using client = openHttpClient({ base: server.url });
      const headers: Record<string, string> = isKnown ? { "content-length": `${BYTES}` } : {};
      const response = await client.request("/", { method: "PUT", body: sendAll, headers });
      assert.equal(response.text(), "ok");
      assert.equal(meter.bytes, BYTES);
      assert.ok(meter.highest < MEMORY_BYTES_MAX, `${Math.round(meter.highest / MIB)} MiB`);
    });
  });
}
