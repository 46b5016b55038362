import { gather } from "../../combine/gather.ts";
import { BrokenResourceError, EndOfStream, TlsError } from "../../core/errors.ts";
import { connectTcp } from "../../net/connect-tcp.ts";
import { listenTcp } from "../../net/listen-tcp.ts";
import type { Listener } from "../../net/listener.ts";
import type { SocketStream } from "../../net/socket-stream.ts";
import { wrapTls } from "../../net/tls.ts";
import type { TlsClientOptions, TlsServerOptions } from "../../net/tls-options.ts";
import type { ByteStream } from "../../streams/byte-stream.ts";
import { HookedByteStream } from "../../streams/hooked-byte-stream.ts";
import { createMemoryStreamPair } from "../../streams/memory-stream.ts";
import { authority, client as clientIdentity, server as identity } from "../certificates.ts";
import { expect, Gap, type Probe, type ProbeArea } from "./probe.test.kit.ts";
import { withConnection } from "./tcp.test.kit.ts";

export const tls: ProbeArea = {
  title: "TLS",
  simulated: false,
  probes: [
    {
      feature: "TLS 1.3",
      check: () => withTls({}, {}, async (stream) => expectVersion(stream, "TLSv1.3")),
    },
    {
      feature: "TLS 1.2",
      check: () =>
        withTls({ versionMax: "TLSv1.2" }, {}, async (stream) => expectVersion(stream, "TLSv1.2")),
    },
    {
      feature: "ALPN",
      check: () =>
        withTls({ alpnProtocols: ["b", "a"] }, { alpnProtocols: ["a"] }, async (near, far) => {
          const agreed = [near.tls?.alpnProtocol, far.tls?.alpnProtocol];
          expect(agreed.join() === "a,a", `agreed upon ${agreed.join()}`);
        }),
    },
    {
      feature: "identity by the name that a client asks for (SNI)",
      async check() {
        let asked: string | undefined;
        const identityFor = (name: string | undefined): typeof identity => {
          asked = name;
          return identity;
        };
        await withTls({ serverName: "example.test" }, { identityFor }, async (_near, far) => {
          expect(asked === "example.test", "the server is not told the name");
          expect(far.tls?.serverName === "example.test", "`stream.tls.serverName` has no name");
        });
      },
    },
    {
      feature: "certificates of clients (`clientCertificate`)",
      check: () =>
        withTls(
          { identity: clientIdentity },
          { clientCertificate: "required", trusted: authority },
          async (_near, far) =>
            expect(far.tls?.peerCertificate !== undefined, "the server does not see it"),
        ),
    },
    resumption("TLSv1.3"),
    resumption("TLSv1.2"),
    {
      feature: "half-close: what comes after `sendEof` of the other side can still be answered",
      check: () =>
        withTls({}, {}, async (near, far) => {
          await near.sendEof();
          try {
            await far.receive();
          } catch (error) {
            if (!(error instanceof EndOfStream)) throw error;
          }
          let failure: Error | undefined;
          try {
            await far.send(new Uint8Array(3));
          } catch (error) {
            if (!(error instanceof BrokenResourceError)) throw error;
            failure = error;
          }
          expect(failure === undefined, "`send` fails with `BrokenResourceError`");
          expect((await near.receive()).length > 0, "nothing comes");
        }),
    },
    {
      feature: "an end without the closing alert is told from a real one",
      async check() {
        const [near, far] = createMemoryStreamPair();
        // TLS owns what it is put on, so this one is closed behind its back.
        await overTls(near, new HookedByteStream(far, {}), {}, {}, async (secure) => {
          far.close();
          try {
            await secure.receive();
          } catch (error) {
            if (error instanceof EndOfStream) throw new Gap("it is taken for the end");
            if (!(error instanceof TlsError)) throw error;
          }
        });
      },
    },
    {
      feature: "TLS over any stream (`wrapTls`)",
      async check() {
        const [near, far] = createMemoryStreamPair();
        await overTls(near, far, {}, {}, echo);
      },
    },
    {
      feature: "TLS in TLS",
      check: () => withTls({}, {}, (near, far) => overTls(near, far, {}, {}, echo)),
    },
  ],
};

type Body = (near: SocketStream, far: SocketStream) => Promise<void>;

function resumption(version: "TLSv1.2" | "TLSv1.3"): Probe {
  return {
    feature: `sessions that are resumed (\`session\`, \`onSession\`), ${version}`,
    async check() {
      using listener = await listenTcp(0, { host: "127.0.0.1", tls: { identity } });
      const sessions: Uint8Array[] = [];
      for (const resumed of [false, true]) {
        const session = sessions.at(-1);
        const options: TlsClientOptions = {
          serverName: "localhost",
          trusted: authority,
          versionMax: version,
          onSession: (one) => void sessions.push(one),
          ...(session !== undefined && { session }),
        };
        const [near, far] = await gather([
          () => connectTcp("127.0.0.1", listener.port, { tls: options }),
          () => acceptSecure(listener),
        ]);
        using _near = near;
        using _far = far;
        await echo(near, far);
        expect(near.tls?.resumed === resumed, "none is resumed");
      }
    },
  };
}

async function acceptSecure(listener: Listener): Promise<SocketStream> {
  const stream = await listener.accept();
  await stream.handshake();
  return stream;
}

function withTls(
  clientOptions: TlsClientOptions,
  serverOptions: TlsServerOptions,
  body: Body,
): Promise<void> {
  return withConnection((near, far) => overTls(near, far, clientOptions, serverOptions, body));
}

async function overTls(
  near: ByteStream,
  far: ByteStream,
  clientOptions: TlsClientOptions,
  serverOptions: TlsServerOptions,
  body: Body,
): Promise<void> {
  const known = serverOptions.identityFor === undefined ? { identity } : {};
  const [secureNear, secureFar] = await gather([
    () => wrapTls(near, { serverName: "localhost", trusted: authority, ...clientOptions }),
    () => wrapTls(far, { side: "server", ...known, ...serverOptions }),
  ]);
  using _near = secureNear;
  using _far = secureFar;
  await body(secureNear, secureFar);
}

async function echo(near: SocketStream, far: SocketStream): Promise<void> {
  await near.send(new Uint8Array([1, 2, 3]));
  await far.send(await far.receive());
  expect((await near.receive()).length === 3, "other bytes come than were sent");
}

function expectVersion(stream: SocketStream, version: string): void {
  expect(stream.tls?.version === version, `${stream.tls?.version} was agreed upon`);
}
