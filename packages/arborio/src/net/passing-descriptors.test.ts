import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { currentBackend } from "../platform/capabilities.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { connectTcp } from "./connect-tcp.ts";
import { listenTcp } from "./listen-tcp.ts";

const test = onEveryBackend(nodeTest);

test("SocketStream.sendDescriptors, receiveDescriptors: name the backend, none of which can, and are checkpoints", async () => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  using stream = await connectTcp("127.0.0.1", listener.port);
  const cannot = (operation: string): object => ({
    name: "NotSupportedError",
    message: `SocketStream.${operation}: the backend "${currentBackend().name}" cannot do this; docs/gaps.md lists which can`,
  });
  const send = (): Promise<void> => stream.sendDescriptors(new Uint8Array(1), [0]);
  await assert.rejects(send(), cannot("sendDescriptors"));
  await assert.rejects(stream.receiveDescriptors(1, 1), cannot("receiveDescriptors"));
  await assertCheckpoints(() => send().catch(() => {}));
});
