/**
 * The engine of TLS: `node:tls` over a duplex stream that is not a socket, which Node, Bun and Deno all have. Here is what is
 * particular to it and to the runtimes; what a wire promises is in `node-tls-wire.ts`.
 *
 * What comes from below is pushed into the stream, and is decrypted before `push` returns: the TLS socket is never paused, since
 * pausing the wire below presses back too and leaves nothing half-way. What the engine wants to send comes out of the stream's
 * `write`. The end of the wire below never gets here: to engines it looks like the end that the other side has signed.
 */
import type { Duplex } from "node:stream";
import type { PeerCertificate, SecureContext, TLSSocket } from "node:tls";
import process from "node:process";
import type { TlsClientSettings, TlsServerSettings } from "../../platform/tls.ts";
import type { TlsInfo } from "../../platform/wire.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import { openSession, sealSession } from "./node-tls-session.ts";

const crypto = lazily("node:crypto");
const net = lazily("node:net");
const stream = lazily("node:stream");
const tls = lazily("node:tls");

/** So much encrypted data, in bytes, may wait for an engine that does not take it yet; about one read of a socket. */
const FEED_BYTES_MAX = 65_536;

/** Turns of the host without anything to send after which an engine has nothing more: Deno's sends from a microtask. */
const QUIET_TURNS = 2;

/** Bun's engine answers the other side's end with its own, and takes nothing more to send. Seen with Bun 1.4.5. */
export const ENDS_WITH_PEER: boolean = process.versions["bun"] !== undefined;

/** Deno's engine keeps sessions to itself: what it gives as one is a dummy. Seen with Deno 2.9.5. */
export const HAS_SESSIONS: boolean = process.versions["deno"] === undefined;

/** Whom the engine tells. Nothing is told before the call that makes it has returned. */
export interface TlsEngineOwner {
  /** Sends encrypted bytes. `false`: they go out later, and `sent` will be called. */
  encrypted(bytes: Uint8Array): boolean;
  /** Takes encrypted bytes again, after `feed` returned `false`. */
  hungry(): void;
  /** The handshake is done, and the other side is who it should be. */
  agreed(info: TlsInfo): void;
  decrypted(bytes: Uint8Array): void;
  /** The other side has ended, by the closing alert of TLS. */
  peerEnded(): void;
  /** What `write` was given has all been sent. */
  sentAll(): void;
  broken(error: unknown): void;
}

/** Settings of one connection, with the context that belongs to them. */
export type TlsEngineSettings =
  | { readonly settings: TlsClientSettings; readonly context: SecureContext }
  | {
      readonly settings: TlsServerSettings;
      readonly context: SecureContext;
      readonly serverName: string | undefined;
    };

export class TlsEngine {
  readonly #owner: TlsEngineOwner;
  readonly #settings: TlsEngineSettings;
  readonly #duplex: Duplex;
  readonly #socket: TLSSocket;
  /** Tells the stream that its bytes have been sent. */
  #sent: (() => void) | null = null;
  /** A `write` is under way; `#taken` once the engine has all of it. */
  #writing = false;
  #taken = false;
  #quietTurns = 0;
  #whenQuiet: (() => void) | null = null;
  #dropped = false;

  constructor(owner: TlsEngineOwner, settings: TlsEngineSettings) {
    this.#owner = owner;
    this.#settings = settings;
    this.#duplex = this.#createDuplex();
    // Made in a task's async context, it would keep that context alive.
    this.#socket = outsideContext(() => createSocket(this.#duplex, settings));
    this.#listen();
  }

  /** Takes encrypted bytes. `false`: no more, please, until `hungry`. */
  feed(bytes: Uint8Array): boolean {
    return this.#duplex.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  /** Whether everything fed has been looked at. */
  get isFed(): boolean {
    return this.#duplex.readableLength === 0 || this.#socket.destroyed;
  }

  /** The bytes of `encrypted` have gone out. */
  sent(): void {
    const sent = this.#sent;
    this.#sent = null;
    sent?.();
    this.#checkWritten();
  }

  /** Encrypts and sends; `sentAll` will be called. One at a time, after the handshake. */
  write(bytes: Uint8Array): void {
    this.#writing = true;
    this.#taken = false;
    this.#socket.write(bytes, () => {
      this.#taken = true;
      this.#checkWritten();
    });
  }

  /** Sends the closing alert. */
  end(): void {
    if (!this.#socket.writableEnded) this.#socket.end();
  }

  /** Sends the closing alert unless it was sent, and calls `quiet` when everything has gone out. */
  finish(quiet: () => void): void {
    this.#whenQuiet = quiet;
    this.end();
    this.#lookForQuiet();
  }

  /** Frees everything; nothing is told any more. */
  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.#socket.destroy();
    stream().Duplex.prototype.destroy.call(this.#duplex);
  }

  get #isIdle(): boolean {
    return this.#sent === null && this.#duplex.writableLength === 0;
  }

  /** Bun's engine says that it has taken bytes when they wait in the stream. */
  #checkWritten(): void {
    if (!this.#writing || !this.#taken || !this.#isIdle || this.#dropped) return;
    this.#writing = false;
    this.#owner.sentAll();
  }

  #lookForQuiet(): void {
    afterTurn(() => {
      if (this.#dropped) return;
      const isDone = this.#socket.writableFinished || this.#socket.destroyed;
      this.#quietTurns = isDone && this.#isIdle ? this.#quietTurns + 1 : 0;
      if (this.#quietTurns > QUIET_TURNS) this.#whenQuiet?.();
      else this.#lookForQuiet();
    });
  }

  #createDuplex(): Duplex {
    const send = (bytes: Uint8Array, sent: () => void): void => {
      if (this.#dropped) return;
      const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (this.#owner.encrypted(view)) sent();
      else this.#sent = sent;
    };
    const duplex = new (stream().Duplex)({
      allowHalfOpen: true,
      readableHighWaterMark: FEED_BYTES_MAX,
      read: () => this.#owner.hungry(),
      write: (bytes: Buffer, _encoding, sent) => send(bytes, sent),
      writev: (chunks, sent) =>
        send(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), sent),
      final: (done) => done(),
    });
    // An engine that fails destroys the stream before its last alert is written to it: on Deno the alert would be lost.
    duplex.destroy = () => duplex;
    duplex.on("error", () => {});
    return duplex;
  }

  #listen(): void {
    const socket = this.#socket;
    const fail = (error: unknown): void => {
      if (!this.#dropped) this.#owner.broken(error);
    };
    socket.on("error", fail);
    // Servers tell errors of the handshake by this one.
    socket.on("_tlsError" as "error", fail);
    socket.on("close", () => fail(new Error("closed")));
    socket.on("data", (bytes: Uint8Array) => {
      if (!this.#dropped && bytes.length > 0)
        this.#owner.decrypted(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    });
    socket.on("end", () => {
      if (!this.#dropped) this.#owner.peerEnded();
    });
    const { settings } = this.#settings;
    if (settings.side === "client") {
      socket.on("secureConnect", () => this.#agreed());
      if (settings.onSession !== undefined) this.#giveSessions(settings, settings.onSession);
    } else {
      socket.on("secure", () => this.#agreed());
    }
  }

  #giveSessions(settings: TlsClientSettings, onSession: (session: Uint8Array) => void): void {
    this.#socket.on("session", (session: Uint8Array) => {
      if (!this.#dropped) onSession(sealSession(session, settings.serverName, settings.verify));
    });
  }

  #agreed(): void {
    if (this.#dropped) return;
    let info: TlsInfo;
    try {
      const error = verifyPeer(this.#socket, this.#settings);
      if (error !== null) throw error;
      info = describe(this.#socket, this.#settings);
    } catch (error) {
      this.#owner.broken(error);
      return;
    }
    this.#owner.agreed(info);
  }
}

function createSocket(duplex: Duplex, { settings, context }: TlsEngineSettings): TLSSocket {
  const alpn =
    settings.alpnProtocols.length > 0 ? { ALPNProtocols: [...settings.alpnProtocols] } : {};
  if (settings.side === "server") {
    return new (tls().TLSSocket)(duplex, {
      isServer: true,
      secureContext: context,
      requestCert: settings.clientCertificate !== "none",
      rejectUnauthorized: settings.clientCertificate === "required",
      ...alpn,
    });
  }
  const { serverName, session, verify } = settings;
  const isAddress = net().isIP(serverName) !== 0;
  const usable = session === undefined ? undefined : openSession(session, serverName, verify);
  return tls().connect({
    socket: duplex,
    secureContext: context,
    servername: isAddress ? "" : serverName,
    rejectUnauthorized: verify,
    checkServerIdentity: (_host, certificate) => checkName(serverName, certificate),
    ...(usable === undefined ? {} : { session: Buffer.from(usable) }),
    ...alpn,
  });
}

/** `undefined` if the certificate is for this name or address. Node 22.23 finds no address of IPv6 in any certificate by itself. */
function checkName(serverName: string, certificate: PeerCertificate): Error | undefined {
  if (net().isIP(serverName) === 0) return tls().checkServerIdentity(serverName, certificate);
  try {
    const found = new (crypto().X509Certificate)(certificate.raw).checkIP(serverName);
    if (found !== undefined) return undefined;
  } catch {
    // One that cannot be read is for nobody.
  }
  return withCode("ERR_TLS_CERT_ALTNAME_INVALID", `it is for ${certificate.subjectaltname}`);
}

/**
 * Whether the other side is who it should be. Clients' engines have seen to it themselves, this only makes sure. For servers'
 * engines nobody but `tls.Server` does; what they found is told by `verifyError`, as an error, a code, or nothing.
 */
function verifyPeer(socket: TLSSocket, { settings }: TlsEngineSettings): unknown {
  if (settings.side === "client") {
    if (!settings.verify || socket.authorized) return null;
    return socket.authorizationError ?? new Error("not authorized");
  }
  if (settings.clientCertificate === "none") return null;
  const { verifyError } = (socket as unknown as { ssl: { verifyError?: () => unknown } }).ssl;
  const hasCertificate = peerCertificate(socket) !== undefined;
  if (!hasCertificate && settings.clientCertificate === "optional") return null;
  if (!hasCertificate) return withCode("ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE");
  if (verifyError === undefined) return new Error("this runtime does not tell what it found");
  const found = verifyError.call((socket as unknown as { ssl: unknown }).ssl);
  if (found === null || found === undefined || found === "") return null;
  return typeof found === "string" ? withCode(found) : found;
}

function withCode(code: string, message: string = code): Error {
  return Object.assign(new Error(message), { code });
}

function describe(socket: TLSSocket, all: TlsEngineSettings): TlsInfo {
  const { settings } = all;
  const cipher = socket.getCipher() as { name?: string; standardName?: string } | undefined;
  const { alpnProtocol } = socket;
  const isNamed = settings.side === "client" && net().isIP(settings.serverName) === 0;
  return {
    version: socket.getProtocol() ?? "",
    cipher: cipher?.standardName ?? cipher?.name,
    alpnProtocol: typeof alpnProtocol === "string" ? alpnProtocol : undefined,
    serverName: "serverName" in all ? all.serverName : isNamed ? settings.serverName : undefined,
    peerCertificate:
      settings.side === "server" && settings.clientCertificate === "none"
        ? undefined
        : peerCertificate(socket),
    resumed: socket.isSessionReused(),
  };
}

/** In DER. */
function peerCertificate(socket: TLSSocket): Uint8Array | undefined {
  const raw = socket.getPeerX509Certificate()?.raw;
  return raw === undefined ? undefined : new Uint8Array(raw);
}

/** Calls `fn` in the next turn of the host. */
export function afterTurn(fn: () => void): void {
  outsideContext(() => setImmediate(fn));
}
