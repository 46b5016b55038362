/** Shutting down a server that speaks TLS: connections whose handshakes go on meanwhile. */
import assert from "node:assert/strict";
import { now, sleep, taskGroup } from "arborio";
import { connectTcp, type SocketStream, wrapTls } from "arborio/net";
import { fieldsOf, get, RawClient, simTest } from "../connection/raw-client.test.kit.ts";
import { HttpResponse } from "../web/http-response.ts";
import { authority, identity } from "./certificates.test.kit.ts";
import { openServer } from "./open-server.ts";

const secured = (stream: SocketStream): Promise<SocketStream> =>
  wrapTls(stream, { serverName: "localhost", trusted: authority });

simTest(
  "Server.close: a connection that does not go on with its handshake holds up nothing",
  async () => {
    const server = await openServer(() => new HttpResponse("hello"), {
      port: 443,
      host: "127.0.0.1",
      tls: { identity },
    });
    using silent = await connectTcp("127.0.0.1", 443);
    await sleep(10);
    const before = now();
    await server.close({ graceMs: 60_000 });
    assert.ok(now() - before < 2000, `${now() - before} ms`);
    assert.equal(await new RawClient(silent).end(), "end");
  },
);

simTest(
  "Server.close: connections whose handshakes end after it are served once, or leave soon",
  async () => {
    const server = await openServer(() => new HttpResponse("hello"), {
      port: 443,
      host: "127.0.0.1",
      tls: { identity },
    });
    const [late, idle] = [await connectTcp("127.0.0.1", 443), await connectTcp("127.0.0.1", 443)];
    await sleep(10);
    const before = now();
    await taskGroup(async (group) => {
      group.startSoon(() => server.close({ graceMs: 60_000 }));
      group.startSoon(async () => {
        await sleep(600);
        const raw = new RawClient(await secured(late));
        await sleep(300);
        await raw.send(get());
        const { head, body } = await raw.response();
        assert.equal(body, "hello");
        assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
        raw.stream.close();
      });
      group.startSoon(async () => {
        await sleep(600);
        const raw = new RawClient(await secured(idle));
        assert.equal(await raw.end(), "end");
        raw.stream.close();
      });
    });
    assert.ok(now() - before < 2500, `${now() - before} ms`);
  },
);
