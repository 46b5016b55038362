/** A wire of TLS over any other wire. The engine that encrypts is `node-tls-engine.ts`. */
import { SystemError, type TlsError } from "../../core/errors.ts";
import type { TlsServerSettings, TlsSettings } from "../../platform/tls.ts";
import type { TlsInfo, Wire, WireReceiver } from "../../platform/wire.ts";
import { outsideContext } from "./ambient.ts";
import { ALERT_RECORD, HANDSHAKE_RECORD, HelloCollector } from "./client-hello.ts";
import { clientContext, serverContext } from "./node-tls-context.ts";
import { TlsWireDetails } from "./node-tls-details.ts";
import {
  afterTurn,
  ENDS_WITH_PEER,
  TlsEngine,
  type TlsEngineOwner,
  type TlsEngineSettings,
} from "./node-tls-engine.ts";
import { TlsIntake } from "./node-tls-intake.ts";
import { tlsError, toTlsError } from "./node-tls-error.ts";

/** So many bytes are encrypted at once: four full records. A large `write` must not be there twice, plain and encrypted. */
const SLICE_BYTES = 65_536;

/** So long a closed wire waits, in milliseconds, for a peer that does not take its last bytes; then it is broken off. */
const LINGER_MS = 10_000;

/** So long it then waits, in milliseconds, for the peer to end too. */
const ANSWER_MS = 1_000;

/** Alerts of RFC 8446, section 6, that are sent before any engine is there. */
const UNRECOGNIZED_NAME = 112;
const INTERNAL_ERROR = 80;

/**
 * `hello`: a server waits for the name the client asks for. `handshake`: the engine works, nothing of the user's is sent. `failed`:
 * the receiver knows. `closing`: the owner has closed, the last bytes go out.
 */
type Stage = "new" | "hello" | "handshake" | "secured" | "failed" | "closing" | "closed";

const FATAL = 2;

/** Turns of the host in which an engine that has been fed everything tells what it saw; one is enough for all that were seen. */
const JUDGE_TURNS = 1;

/** So many bytes of what is no TLS are shown. */
const SHOWN_BYTES = 40;

export class TlsWire implements Wire, WireReceiver, TlsEngineOwner {
  /** For the simulator's report of deadlocks: the engine works in turns of the host. */
  readonly isForeign = true;
  readonly details: TlsWireDetails;
  readonly #lower: Wire;
  readonly #intake: TlsIntake;
  readonly #settings: TlsSettings;
  #stage: Stage = "new";
  #receiver: WireReceiver | null = null;
  #engine: TlsEngine | null = null;
  /** Of a server, until a client's hello is complete. */
  #hello: HelloCollector | null;
  /** What is not yet encrypted of the `write` under way. */
  #rest: Uint8Array | null = null;
  #endWanted = false;
  /** The other side has ended in order, by its closing alert. */
  #peerEnded = false;
  #receiverPauses = false;
  /** The wire below came to its end, or failed, which is judged when the engine has seen everything before it. */
  #lowerEnded = false;
  #lowerError: Error | null = null;
  #judging = false;
  /** Something has come from the wire below. */
  #heard = false;
  /** It failed by the engine's word, whose alert may still be on its way. */
  #alerted = false;
  /** A closed wire has sent its last bytes. */
  #isSent = false;
  /** Bytes came after it was closed. */
  #refused = false;
  #linger: NodeJS.Timeout | null = null;

  constructor(lower: Wire, settings: TlsSettings) {
    this.details = new TlsWireDetails(lower);
    this.#lower = lower;
    this.#intake = new TlsIntake(lower);
    this.#settings = settings;
    this.#hello = settings.side === "server" ? new HelloCollector() : null;
  }

  // For the owner --------------------------------------------------------------------------------------------------------

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.#stage = "hello";
    this.#lower.open(this);
    const settings = this.#settings;
    if (settings.side === "server") return;
    this.#stage = "handshake";
    try {
      this.#start({ settings, context: clientContext(settings) });
    } catch (error) {
      afterTurn(() => this.#fail(toTlsError(this.#attempt, error)));
    }
  }

  pause(): void {
    this.#receiverPauses = true;
    // A handshake needs both directions.
    if (this.#stage === "secured") this.#intake.pause();
  }

  resume(): void {
    this.#receiverPauses = false;
    this.#intake.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    this.#rest = bytes;
    if (this.#stage === "secured") this.#writeSlice();
    return false;
  }

  end(): void {
    this.#endWanted = true;
    if (this.#stage === "secured" && this.#rest === null) this.#engine?.end();
  }

  close(abortively: boolean): void {
    const stage = this.#stage;
    if (stage === "closing" || stage === "closed") return;
    this.#receiver = null;
    this.#stage = "closing";
    if (stage === "failed" && this.#alerted) {
      // Two turns, since Deno's engine sends its alert from a microtask of a later turn.
      afterTurn(() => afterTurn(() => this.#closeLower(false)));
    } else if (stage === "secured" && !abortively && this.#lowerError === null) {
      this.#lingerUntilSent();
    } else {
      this.#closeLower(abortively);
    }
  }

  /**
   * The last bytes have to get out, and what the other side has sent meanwhile must not reset the connection before they are read:
   * servers of TLS 1.3 send tickets that nobody asked for. So the engine still reads, until the other side ends too.
   */
  #lingerUntilSent(): void {
    this.#intake.resume();
    this.#lingerAtMost(LINGER_MS, true);
    if (this.#rest === null) this.#engine?.finish(() => this.#endLower());
  }

  #endLower(): void {
    if (this.#stage === "closed") return;
    if (this.#peerEnded || this.#lowerEnded || this.#refused) {
      this.#closeLower(this.#refused);
      return;
    }
    this.#lower.end();
    this.#isSent = true;
    this.#lingerAtMost(ANSWER_MS, false);
  }

  /** Nobody reads any more, and the other side must not think that somebody did. */
  #refuseBytes(): void {
    this.#refused = true;
    this.#intake.pause();
    if (this.#isSent) this.#closeLower(true);
  }

  #lingerAtMost(limitMs: number, abortively: boolean): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = outsideContext(() => setTimeout(() => this.#closeLower(abortively), limitMs));
    this.#linger.unref();
  }

  #closeLower(abortively: boolean): void {
    if (this.#stage === "closed") return;
    this.#stage = "closed";
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#engine?.drop();
    this.#lower.close(abortively);
  }

  #writeSlice(): void {
    const rest = this.#rest as Uint8Array;
    if (this.#peerEnded && ENDS_WITH_PEER) {
      afterTurn(() => this.#fail(this.#endedWithPeer()));
      return;
    }
    const slice = rest.length > SLICE_BYTES ? rest.subarray(0, SLICE_BYTES) : rest;
    this.#rest = rest.subarray(slice.length);
    this.#engine?.write(slice);
  }

  #endedWithPeer(): SystemError {
    return new SystemError(
      `${this.#attempt}: the other side has ended, and the TLS of this runtime sends nothing after that (EPIPE); docs/gaps.md has more`,
      "EPIPE",
    );
  }

  // What the engine tells ------------------------------------------------------------------------------------------------

  encrypted(bytes: Uint8Array): boolean {
    return this.#lower.write(bytes);
  }

  hungry(): void {
    this.#intake.hungry();
  }

  agreed(info: TlsInfo): void {
    if (this.#stage !== "handshake") return;
    this.#stage = "secured";
    this.details.securing = false;
    this.details.tls = info;
    this.#intake.hurry();
    if (this.#receiverPauses) this.#intake.pause();
    // What was written before comes before what the receiver writes when it is told.
    if (this.#rest !== null) this.#writeSlice();
    else if (this.#endWanted) this.#engine?.end();
    this.#receiver?.secured?.();
  }

  decrypted(bytes: Uint8Array): void {
    if (this.#stage === "secured") this.#receiver?.received(bytes);
    else if (this.#stage === "closing") this.#refuseBytes();
  }

  sentAll(): void {
    if (this.#stage !== "secured" && this.#stage !== "closing") return;
    const rest = this.#rest;
    if (rest !== null && rest.length > 0) {
      this.#writeSlice();
      return;
    }
    this.#rest = null;
    if (this.#stage === "closing") this.#engine?.finish(() => this.#endLower());
    else if (this.#endWanted) this.#engine?.end();
    this.#receiver?.written();
  }

  peerEnded(): void {
    if (this.#stage === "handshake") this.#fail(tlsError(this.#attempt, "handshake-cut"));
    if (this.#stage === "closing" && this.#isSent) this.#closeLower(false);
    if (this.#stage !== "secured" || this.#peerEnded) return;
    this.#peerEnded = true;
    this.#receiver?.ended();
    if (this.#rest !== null && ENDS_WITH_PEER) this.#fail(this.#endedWithPeer());
  }

  broken(error: unknown): void {
    // An engine also closes when both directions have ended in order.
    if (this.#peerEnded && this.#stage === "secured") return;
    this.#alerted = true;
    this.#fail(toTlsError(this.#attempt, error));
  }

  // What the wire below tells --------------------------------------------------------------------------------------------

  received(bytes: Uint8Array): void {
    if (this.#hello !== null) {
      if (this.#stage === "hello") this.#readHello(this.#hello, bytes);
    } else if (this.#stage === "handshake" && !this.#heard && !isTls(bytes)) {
      this.#fail(this.#notTls(bytes));
    } else if (this.#stage !== "failed" && this.#stage !== "closed") {
      this.#heard = true;
      this.#intake.feed(bytes);
    }
  }

  ended(): void {
    this.#lowerEnded = true;
    if (this.#stage === "closing" && this.#isSent) this.#closeLower(false);
    this.#judgeSoon();
  }

  written(): void {
    this.#engine?.sent();
  }

  failed(error: Error): void {
    this.#lowerError = error;
    this.#judgeSoon();
  }

  // The handshake --------------------------------------------------------------------------------------------------------

  #readHello(collector: HelloCollector, bytes: Uint8Array): void {
    const hello = collector.add(bytes);
    if (hello.kind === "incomplete") return;
    this.#hello = null;
    if (hello.kind === "not-tls") {
      this.#fail(this.#notTls(collector.bytes));
      return;
    }
    const settings = this.#settings as TlsServerSettings;
    const { serverName } = hello;
    try {
      const identity = settings.identityFor(serverName);
      // It may have closed the wire.
      if (this.#stage !== "hello") return;
      if (identity === undefined) {
        this.#refuse(UNRECOGNIZED_NAME, tlsError(this.#attempt, "wrong-name", serverName));
        return;
      }
      this.#start({ settings, context: serverContext(settings, identity), serverName });
    } catch (error) {
      this.#refuse(INTERNAL_ERROR, toTlsError(this.#attempt, error));
      return;
    }
    this.#stage = "handshake";
    this.#heard = true;
    this.#intake.feed(collector.bytes);
  }

  #start(settings: TlsEngineSettings): void {
    this.#engine = new TlsEngine(this, settings);
    this.#intake.connect(this.#engine);
  }

  /** Ends a handshake that no engine has begun. */
  #refuse(alert: number, error: TlsError): void {
    this.#lower.write(new Uint8Array([ALERT_RECORD, 3, 3, 0, 2, FATAL, alert]));
    this.#alerted = true;
    this.#fail(error);
  }

  // Ends and failures ----------------------------------------------------------------------------------------------------

  /** The engine may be about to tell of what came before: the closing alert, or another one. */
  #judgeSoon(): void {
    if (this.#stage === "closing" && this.#lowerError !== null) this.#closeLower(true);
    if (this.#judging || this.#stage === "closed") return;
    this.#judging = true;
    this.#judgeAfter(JUDGE_TURNS);
  }

  #judgeAfter(turns: number): void {
    afterTurn(() => {
      if (this.#stage === "failed" || this.#stage === "closed") return;
      if (!this.#intake.isEmpty) this.#judgeAfter(JUDGE_TURNS);
      else if (turns > 0) this.#judgeAfter(turns - 1);
      else this.#judge();
    });
  }

  #judge(): void {
    this.#judging = false;
    const error = this.#lowerError;
    if (this.#stage === "hello" || this.#stage === "handshake") {
      this.#fail(tlsError(this.#attempt, "handshake-cut", undefined, error ?? undefined));
    } else if (error !== null) {
      this.#fail(error);
    } else if (this.#lowerEnded && !this.#peerEnded && this.#stage === "secured") {
      if (this.#settings.requireCloseNotify) this.#fail(tlsError(this.#attempt, "truncated"));
      else this.#receiver?.ended();
    }
  }

  #fail(error: Error): void {
    if (this.#stage === "failed" || this.#stage === "closing" || this.#stage === "closed") return;
    this.#stage = "failed";
    this.details.securing = false;
    this.#rest = null;
    this.#receiver?.failed(error);
  }

  #notTls(bytes: Uint8Array): TlsError {
    const text = new TextDecoder("latin1").decode(bytes.subarray(0, SHOWN_BYTES));
    const shown = text.replaceAll(/[^\u0020-\u007E].*/gsu, "…");
    return tlsError(this.#attempt, "not-tls", `it begins with ${JSON.stringify(shown)}`);
  }

  get #attempt(): string {
    return this.#settings.side === "client"
      ? `TLS with ${this.#settings.serverName}`
      : "TLS with a client";
  }
}

function isTls(bytes: Uint8Array): boolean {
  return bytes[0] === HANDSHAKE_RECORD || bytes[0] === ALERT_RECORD;
}
