import assert from "node:assert/strict";
import { BrokenResourceError, sleep } from "arborio";
import { streamFromWire, type Wire } from "arborio/lowlevel";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { UpgradedWire } from "../connection/upgraded-wire.ts";
import { openWebSocket } from "./open-web-socket.ts";
import { resolveWebSocketOptions } from "./web-socket-options.ts";

const AGREED = { role: "client", protocol: "", deflate: null } as const;

simTest(
  "openWebSocket: over a connection that broke behind its handshake it fails, and the connection is given back",
  async () => {
    let isGivenBack = false;
    const wire: Wire = {
      details: {} as Wire["details"],
      open() {},
      pause() {},
      resume() {},
      write: () => true,
      end() {},
      close() {},
    };
    const upgraded = new UpgradedWire(wire, new Uint8Array(0), false, () => (isGivenBack = true));
    const stream = streamFromWire(upgraded, "test");
    upgraded.failed(new Error("reset"));
    await sleep(1);
    assert.equal(isGivenBack, false);
    assert.throws(
      () => openWebSocket(stream, AGREED, resolveWebSocketOptions("test", {}), undefined),
      BrokenResourceError,
    );
    assert.ok(isGivenBack);
  },
  [1],
);
