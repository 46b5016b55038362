import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenResourceError, run } from "../index.ts";
import { connectTcp, listenTcp } from "../net.ts";
import { openSignalReceiver } from "../process.ts";

test("openSignalReceiver: after one of SIGPIPE was closed, a write to a connection that is gone is still an error, not the end", () =>
  run(async () => {
    openSignalReceiver(["SIGPIPE"]).close();
    using listener = await listenTcp(0, { host: "127.0.0.1" });
    using stream = await connectTcp("127.0.0.1", listener.port);
    (await listener.accept()).close();
    const sendForever = async (): Promise<void> => {
      for (;;) await stream.send(new Uint8Array(1000));
    };
    await assert.rejects(sendForever(), BrokenResourceError);
  }));
