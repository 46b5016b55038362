import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { coverMessage, uncoverMessage, uncoverReceived } from "./message-cover.ts";

void test("coverMessage: a message comes out as it went in, with a cover and without", () => {
  for (const covers of [true, false]) {
    for (const message of [["call", 1], null, undefined, 0, new Map([["a", 1]])]) {
      const sent = structuredClone(coverMessage(message, undefined, covers));
      assert.deepEqual(uncoverMessage(sent), message);
      assert.deepEqual(uncoverReceived({ message: sent }), { message });
    }
  }
  assert.equal(uncoverReceived(undefined), undefined);
});

void test("coverMessage: where a runtime looks through messages, only those with ports are left for it to find", () => {
  const bytes = new Uint8Array(8);
  const { port1, port2 } = new MessageChannel();
  const keysSeen = (message: unknown): string[] => Object.keys(message as object);
  assert.deepEqual(keysSeen(coverMessage([bytes], [bytes.buffer], true)), []);
  assert.deepEqual(keysSeen(coverMessage([port1], [port1], true)), ["0"]);
  port1.close();
  port2.close();
});

void test("coverMessage: it is done by itself where it is needed, and a port that is sent is one of Node's", () => {
  const isDeno = "deno" in process.versions;
  assert.equal(coverMessage(["a"], undefined) instanceof Map, isDeno);
  const { port1, port2 } = new MessageChannel();
  const sent = new MessageChannel();
  const transfer = [sent.port1];
  port1.postMessage(coverMessage({ port: sent.port1 }, transfer), transfer);
  const received = uncoverReceived(receiveMessageOnPort(port2)) as {
    message: { port: { on: unknown } };
  };
  assert.equal(typeof received.message.port.on, "function");
  for (const port of [port1, port2, sent.port2]) port.close();
});
