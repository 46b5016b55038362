import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test as nodeTest } from "node:test";
import { CancelScope, sleep, taskGroup, TimeoutError } from "arborio";
import { connectTcp, openUdp } from "arborio/net";
import { onEveryBackend } from "arborio/testing";
import { authority, identity } from "./certificate.ts";
import { askForEcho, type EchoTarget } from "./client.ts";
import { type EchoAddresses, serveEcho } from "./server.ts";

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: 20_000 }, body));
const folder = mkdtempSync(join(tmpdir(), "arborio-echo-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const ANSWER_MS = 5000;
const message = new TextEncoder().encode("hello ".repeat(3000));

/** Runs `body` beside a server that offers everything. */
async function withServer(body: (addresses: EchoAddresses) => Promise<void>): Promise<void> {
  const places = {
    host: "localhost",
    tcp: 0,
    udp: 0,
    tls: { port: 0, identity },
    unix: join(folder, "echo.sock"),
  };
  await taskGroup(async (group) => {
    await body(await group.start<EchoAddresses>((status) => serveEcho(places, status)));
    group.cancel();
  });
}

for (const protocol of ["tcp", "tls", "unix", "udp"] as const) {
  test(`echo over ${protocol}: what was sent comes back, to several clients at once`, () =>
    withServer(async (addresses) => {
      const target = targetOf(protocol, addresses);
      await taskGroup((group) => {
        for (let client = 0; client < 5; client++) {
          group.startSoon(async () => {
            const echo = await askForEcho(target, message, ANSWER_MS);
            assert.deepEqual(echo, message);
          });
        }
      });
    }));
}

function targetOf(protocol: EchoTarget["protocol"], addresses: EchoAddresses): EchoTarget {
  if (protocol === "unix") return { protocol, path: String(addresses.unix) };
  const place = { host: "localhost", port: Number(addresses[protocol]) };
  return protocol === "tls" ? { protocol, ...place, trusted: authority } : { protocol, ...place };
}

test("echo: a client whose datagram nobody answers gives up when its time is over", async () => {
  using silent = await openUdp({ host: "127.0.0.1" });
  const { port } = silent.localAddress;
  await assert.rejects(
    askForEcho({ protocol: "udp", host: "127.0.0.1", port }, message, 50),
    TimeoutError,
  );
});

test("echo: a shutdown accepts no more, and lets a connection end", async () => {
  const scope = new CancelScope();
  await scope.run(() =>
    taskGroup(async (group) => {
      const addresses = await group.start<EchoAddresses>((status) =>
        serveEcho({ host: "localhost", tcp: 0 }, status),
      );
      await using stream = await connectTcp("localhost", Number(addresses.tcp));
      await stream.send(new Uint8Array([1]));
      await stream.receive();
      scope.shutdown({ graceMs: 10_000 });
      await sleep(1);
      await stream.send(new Uint8Array([2]));
      assert.deepEqual(await stream.receive(), new Uint8Array([2]));
      await assert.rejects(connectTcp("localhost", Number(addresses.tcp)));
    }),
  );
  assert.equal(scope.cancelledCaught, false);
});
