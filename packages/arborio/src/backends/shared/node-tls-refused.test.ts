/** Every way in which a handshake can fail, from the view of both sides. */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, test as nodeTest } from "node:test";
import { SystemError, type TlsFailure } from "../../core/errors.ts";
import type { TlsIdentity } from "../../platform/tls.ts";
import * as certificates from "../../testing/certificates.ts";
import {
  connectedTls,
  connectTls,
  type ConnectTlsOptions,
  testClient,
  testServer,
  type TlsSide,
} from "../../testing/tls-wires.ts";
import { createWirePair } from "../../testing/wire-pair.ts";
import { WireRecorder } from "../../testing/wire-recorder.ts";
import { nodeTls } from "./node-tls.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 10_000;

const RUNTIME =
  process.versions["bun"] !== undefined
    ? "bun"
    : process.versions["deno"] !== undefined
      ? "deno"
      : "node";

function test(title: string, body: () => Promise<void>): void {
  void nodeTest(title, { timeout: TEST_MS_MAX }, body);
}

/** One of these. What a runtime's engine says by an alert, another's keeps to itself and closes. */
type Reasons = TlsFailure | Partial<Record<typeof RUNTIME | "else", TlsFailure>>;

interface Case {
  readonly title: string;
  readonly options: ConnectTlsOptions;
  readonly client: Reasons;
  readonly server: Reasons;
}

const { authority, selfSigned } = certificates;
const shows = (identity: TlsIdentity): ConnectTlsOptions => ({
  server: { identityFor: () => identity },
});
const asks = { clientCertificate: "required", trusted: authority } as const;
const CUT: Reasons = { deno: "rejected", else: "handshake-cut" };

const CASES: readonly Case[] = [
  {
    title: "a server's certificate that it signed itself",
    options: shows(selfSigned),
    client: "untrusted",
    server: CUT,
  },
  {
    title: "a server's certificate of an authority that is not trusted",
    options: { client: { trusted: selfSigned.certificate } },
    client: "untrusted",
    server: CUT,
  },
  {
    title: "a server's certificate of the runtime's own authorities is needed if nobody is trusted",
    options: { client: { trusted: undefined } },
    client: "untrusted",
    server: CUT,
  },
  {
    title: "a server's certificate that has expired",
    options: shows(certificates.expired),
    client: { deno: "untrusted", else: "expired" },
    server: CUT,
  },
  {
    title: "a server's certificate that is not valid yet",
    options: shows(certificates.future),
    client: { deno: "untrusted", else: "not-yet-valid" },
    server: CUT,
  },
  {
    title: "a server's certificate for another name",
    options: shows(certificates.other),
    client: "wrong-name",
    server: { deno: "truncated", else: "handshake-cut" },
  },
  {
    title: "a server's certificate for another address",
    options: { client: { serverName: "127.0.0.2" } },
    client: "wrong-name",
    server: { deno: "truncated", else: "handshake-cut" },
  },
  {
    title: "a server that has no certificate for the name",
    options: { server: { identityFor: () => undefined } },
    client: "wrong-name",
    server: "wrong-name",
  },
  {
    title: "a server whose identityFor throws",
    options: {
      server: {
        identityFor: () => {
          throw new RangeError("no such name");
        },
      },
    },
    client: "protocol",
    server: "protocol",
  },
  {
    title: "a server that is too new",
    options: { server: { versionMin: "TLSv1.3" }, client: { versionMax: "TLSv1.2" } },
    client: "no-common-version",
    server: "no-common-version",
  },
  {
    title: "a server that is too old",
    options: { server: { versionMax: "TLSv1.2" }, client: { versionMin: "TLSv1.3" } },
    client: "no-common-version",
    server: "no-common-version",
  },
  {
    title: "no application protocol in common",
    options: { server: { alpnProtocols: ["a"] }, client: { alpnProtocols: ["b"] } },
    client: "no-common-protocol",
    server: "no-common-protocol",
  },
  {
    title: "a client without a certificate that is required",
    options: { server: asks },
    client: "certificate-required",
    server: "certificate-required",
  },
  {
    title: "a client without a certificate that is required, in TLS 1.2, whose alert says less",
    options: { server: { ...asks, versionMax: "TLSv1.2" } },
    client: { deno: "certificate-required", else: "protocol" },
    server: "certificate-required",
  },
  {
    title: "a client's certificate that it signed itself",
    options: { server: asks, client: { identity: selfSigned } },
    client: "truncated",
    server: "untrusted",
  },
  {
    title: "a client's certificate that it signed itself, in TLS 1.2",
    options: { server: { ...asks, versionMax: "TLSv1.2" }, client: { identity: selfSigned } },
    client: { bun: "handshake-cut", else: "truncated" },
    server: "untrusted",
  },
  {
    title: "a client's certificate that has expired",
    options: { server: asks, client: { identity: certificates.expired } },
    client: "truncated",
    server: { deno: "untrusted", else: "expired" },
  },
  {
    title: "a client's certificate that need not be there, but must be good if it is",
    options: {
      server: { ...asks, clientCertificate: "optional" },
      client: { identity: selfSigned },
    },
    client: "truncated",
    server: "untrusted",
  },
];

function expected(reasons: Reasons): string {
  const reason = typeof reasons === "string" ? reasons : (reasons[RUNTIME] ?? reasons.else);
  return `failed: ${reason}`;
}

/** Closes a side as its owner does when it has failed. */
async function failAndClose({ told, wire }: TlsSide): Promise<void> {
  await told.when(() => told.error !== undefined);
  wire.close(false);
}

describe("TlsWire: refused", () => {
  for (const { title, options, client: toClient, server: toServer } of CASES) {
    for (const chunkBytes of [Infinity, 100]) {
      test(`${title}, in chunks of ${chunkBytes}`, async () => {
        const [client, server] = connectTls(nodeTls, { ...options, chunkBytes });
        await Promise.all([failAndClose(client), failAndClose(server)]);
        assert.equal(client.told.events.at(-1), expected(toClient));
        assert.equal(server.told.events.at(-1), expected(toServer));
        for (const { told, wire, raw } of [client, server]) {
          assert.equal(told.bytes.length, 0);
          assert.equal(wire.details.securing, false);
          assert.equal(raw.overlappingWrites, 0);
        }
      });
    }
  }

  test("whoever closes at once when told of a failure, lets the alert out all the same", async () => {
    for (const options of [
      { server: { alpnProtocols: ["a"] }, client: { alpnProtocols: ["b"] } },
      { server: asks },
      { server: { identityFor: () => undefined } },
    ]) {
      const [client, server] = connectTls(nodeTls, options);
      server.told.onFailed = () => server.wire.close(true);
      await client.told.when(() => client.told.error !== undefined);
      const reason = client.told.events.at(-1)?.slice("failed: ".length) ?? "";
      assert.ok(
        ["no-common-protocol", "certificate-required", "wrong-name"].includes(reason),
        reason,
      );
      while (server.raw.closed === "no") await new Promise((resolve) => setImmediate(resolve));
      assert.equal(server.raw.closed, "orderly");
      client.wire.close(true);
    }
  });

  test("nothing that was written goes to a server with a wrong certificate", async () => {
    for (const identity of [selfSigned, certificates.other, certificates.expired]) {
      const [client, server] = connectTls(nodeTls, shows(identity));
      client.wire.write(new Uint8Array(100));
      await Promise.all([failAndClose(client), failAndClose(server)]);
      assert.equal(server.told.bytes.length, 0);
      assert.equal(client.told.events.includes("written"), false);
    }
  });

  test("nothing from a client with a wrong certificate is received", async () => {
    const [client, server] = connectTls(nodeTls, {
      server: asks,
      client: { identity: selfSigned },
    });
    client.wire.write(new Uint8Array(100));
    await Promise.all([failAndClose(client), failAndClose(server)]);
    assert.deepEqual(server.told.events, ["failed: untrusted"]);
  });

  test("the other side speaks something else", async () => {
    for (const settings of [testClient(), testServer()]) {
      for (const chunkBytes of [Infinity, 1]) {
        const [raw, peer] = createWirePair({ chunkBytes });
        const told = new WireRecorder();
        const wire = nodeTls.wrap(raw, settings);
        wire.open(told);
        peer.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
        await told.until("failed: not-tls");
        const shown = chunkBytes === 1 ? "H" : "HTTP/1.1 400 Bad Request…";
        const { message = "" } = told.error ?? {};
        assert.ok(message.includes(`begins with "${shown}"`), message);
        wire.close(false);
        assert.equal(raw.closed, "orderly");
      }
    }
  });

  test("the other side closes or breaks in the middle", async () => {
    for (const isServer of [false, true]) {
      const [one, other] = connectTls(nodeTls, { chunkBytes: 200 });
      const [side, peer] = isServer ? [other, one] : [one, other];
      peer.raw.cut();
      await side.told.until("failed: handshake-cut");
      side.wire.close(false);
      peer.wire.close(true);
    }
    const [client, server] = connectTls(nodeTls);
    client.raw.fail(new SystemError("connection: reset", "ECONNRESET"));
    await client.told.until("failed: handshake-cut");
    client.wire.close(false);
    server.wire.close(true);
  });
});

describe("TlsWire: accepted", () => {
  const accepted: Record<string, ConnectTlsOptions> = {
    "a certificate with an RSA key": shows(certificates.serverRsa),
    "a certificate with a chain": shows(certificates.chained),
    "an encrypted key": shows(certificates.encrypted),
    "a name by a wildcard": { client: { serverName: "a.wild.test" } },
    "an address of IPv4": { client: { serverName: "127.0.0.1" } },
    "an address of IPv6": { client: { serverName: "::1" } },
    "TLS 1.2": { client: { versionMax: "TLSv1.2" } },
    "TLS 1.3 alone": { client: { versionMin: "TLSv1.3" } },
    "several authorities in one text": {
      client: { trusted: `${certificates.selfSigned.certificate}\n${authority}` },
    },
    "several authorities in a list": {
      client: { trusted: [certificates.selfSigned.certificate, authority] },
    },
    "a certificate that signed itself and is trusted": {
      ...shows(selfSigned),
      client: { trusted: selfSigned.certificate },
    },
    "any certificate, without verify": {
      ...shows(certificates.expired),
      client: { verify: false, serverName: "wrong.test" },
    },
    "any certificate, without verify and name": {
      ...shows(selfSigned),
      client: { verify: false, serverName: "" },
    },
    "a client's certificate": { server: asks, client: { identity: certificates.client } },
    "no client's certificate, if it is optional": {
      server: { ...asks, clientCertificate: "optional" },
    },
    "a client's certificate that nobody asked for": { client: { identity: certificates.client } },
  };
  for (const [title, options] of Object.entries(accepted)) {
    test(title, async () => {
      const [client, server] = await connectedTls(nodeTls, options);
      client.wire.write(new Uint8Array(100));
      await server.told.untilBytes(100);
      const isShown = options.server?.clientCertificate === "required";
      assert.equal(server.wire.details.tls?.peerCertificate !== undefined, isShown);
      assert.equal(client.wire.details.tls?.version, options.client?.versionMax ?? "TLSv1.3");
      client.wire.close(true);
      server.wire.close(true);
    });
  }
});
