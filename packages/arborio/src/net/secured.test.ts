/** TLS as an option of connecting and listening; TLS itself has tests of its own. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test as runnerTest } from "node:test";
import { EndOfStream, TlsError } from "../core/errors.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { authority, server } from "../testing/certificates.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { connectTcp } from "./connect-tcp.ts";
import { connectUnix } from "./connect-unix.ts";
import { listenTcp } from "./listen-tcp.ts";
import { listenUnix } from "./listen-unix.ts";
import type { SocketStream } from "./socket-stream.ts";

const test = onEveryBackend(runnerTest);

const folder = mkdtempSync(join(tmpdir(), "arborio-secured-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Sends the version of TLS and what comes. */
async function answer(stream: SocketStream): Promise<void> {
  const [first = 0] = await stream.receive();
  await stream.send(new TextEncoder().encode(`${stream.tls?.version} ${first}`));
}

async function ask(stream: SocketStream): Promise<string> {
  await stream.send(new Uint8Array([7]));
  let text = "";
  for await (const chunk of stream) text += new TextDecoder().decode(chunk);
  return text;
}

test("connectTcp, listenTcp: with tls, the name that was connected to is the one that is checked", async (group) => {
  using listener = await listenTcp(0, { host: "127.0.0.1", tls: { identity: server } });
  group.startSoon(() => listener.serve(answer), { daemon: true });
  for (const host of ["localhost", "127.0.0.1"]) {
    using stream = await connectTcp(host, listener.port, { tls: { trusted: authority } });
    assert.equal(stream.tls?.version, "TLSv1.3");
    assert.equal(await ask(stream), "TLSv1.3 7");
  }
});

test("connectTcp, listenTcp: a handshake that fails closes both ends, and the listener goes on", async (group) => {
  using listener = await listenTcp(0, { host: "127.0.0.1", tls: { identity: server } });
  const errors: unknown[] = [];
  group.startSoon(() => listener.serve(answer, { onError: (error) => errors.push(error) }), {
    daemon: true,
  });
  await assert.rejects(connectTcp("localhost", listener.port, { tls: true }), TlsError);
  const plain = await connectTcp("localhost", listener.port);
  await plain.send(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await assert.rejects(async () => {
    for await (const _alert of plain);
    throw new EndOfStream("ended in order");
  });
  plain.close();
  using good = await connectTcp("localhost", listener.port, { tls: { trusted: authority } });
  assert.equal(await ask(good), "TLSv1.3 7");
  assert.ok(
    errors.length > 0 && errors.every((error) => error instanceof TlsError),
    String(errors),
  );
  assert.equal(listener.statistics().connectionsBroken, errors.length);
});

test("connectUnix, listenUnix: with tls, for the name that is given", async (group) => {
  const path = join(folder, "tls.sock");
  using listener = await listenUnix(path, { tls: { identity: server } });
  group.startSoon(() => listener.serve(answer, { onError: () => {} }), { daemon: true });
  using stream = await connectUnix(path, { tls: { trusted: authority, serverName: "localhost" } });
  assert.equal(await ask(stream), "TLSv1.3 7");
  const wrong = { trusted: authority, serverName: "other.test" };
  await assert.rejects(connectUnix(path, { tls: wrong }), TlsError);
});

test("connectTcp: cancelled at every checkpoint, also of a real handshake", async (group) => {
  using listener = await listenTcp(0, {
    host: "127.0.0.1",
    tls: { identity: server, handshakeTimeoutMs: Infinity },
  });
  group.startSoon(() => listener.serve(answer, { onError: () => {} }), { daemon: true });
  await cancelEverywhere(async () => {
    using stream = await connectTcp("localhost", listener.port, { tls: { trusted: authority } });
    await stream.send(new Uint8Array([1]));
  });
});
