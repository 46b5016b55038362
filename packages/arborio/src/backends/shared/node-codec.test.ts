import assert from "node:assert/strict";
import { test } from "node:test";
import { createGzip } from "node:zlib";
import { Pump } from "./node-codec.ts";

test("Pump.close: gives the stream back, and tells nobody of what still comes", async () => {
  const stream = createGzip();
  const told: string[] = [];
  const pump = new Pump(
    stream,
    () => told.push("output"),
    () => told.push("failure"),
  );
  pump.write(new Uint8Array(100_000), () => told.push("used"));
  pump.close();
  assert.equal(stream.destroyed, true);
  await new Promise((resolve) => void setTimeout(resolve, 20));
  assert.deepEqual(told, []);
});
