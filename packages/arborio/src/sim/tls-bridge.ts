import type { Tls, TlsIdentity, TlsSettings } from "../platform/tls.ts";
import type { Wire, WireDetails, WireReceiver } from "../platform/wire.ts";
import type { BridgedPart, HostBridge } from "./host-bridge.ts";

/**
 * The host's own TLS over simulated wires. The bytes are as random as TLS makes them; when they come, and in which order with
 * everything else, is the seed's.
 */
export function bridgeTls(tls: Tls, bridge: HostBridge): Tls {
  return {
    prepare(settings: TlsSettings, identities: readonly TlsIdentity[]): void {
      tls.prepare(settings, identities);
    },
    wrap(wire: Wire, settings: TlsSettings): Wire {
      const below = new WireBelow(wire, bridge);
      const above = new WireAbove(below, bridge);
      above.engine = tls.wrap(below, above.settings(settings));
      return above;
    },
  };
}

/** So many bytes of an engine are kept before it has to wait, which makes it wait once for a large write instead of often. */
const KEPT_BYTES_MAX = 262_144;

/** What the engine sees of the simulated wire: it keeps what the engine sends and does until the world takes it. */
class WireBelow implements Wire {
  readonly #wire: Wire;
  readonly #bridge: HostBridge;
  #engine: WireReceiver | null = null;
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** The simulated wire has not taken the last bytes yet. */
  #full = false;
  /** The engine waits to hear that its bytes were taken. */
  #engineWaits = false;
  #paused = false;
  #wantsPause = false;
  #end: "no" | "wanted" | "told" = "no";
  #close: "no" | "orderly" | "abortively" = "no";

  constructor(wire: Wire, bridge: HostBridge) {
    this.#wire = wire;
    this.#bridge = bridge;
  }

  get details(): WireDetails {
    return this.#wire.details;
  }

  open(engine: WireReceiver): void {
    this.#engine = engine;
    const tell = (told: (engine: WireReceiver) => void): void => {
      if (this.#engine === null) return;
      this.#bridge.touch();
      told(this.#engine);
    };
    this.#wire.open({
      received: (bytes) => tell((to) => to.received(bytes)),
      ended: () => tell((to) => to.ended()),
      failed: (error) => tell((to) => to.failed(error)),
      written: () => {
        this.#full = false;
        this.#send();
        this.#tellWritten();
      },
    });
  }

  pause(): void {
    this.#wants(true);
  }

  resume(): void {
    this.#wants(false);
  }

  #wants(pause: boolean): void {
    this.#bridge.touch();
    this.#wantsPause = pause;
  }

  write(bytes: Uint8Array): boolean {
    this.#bridge.touch();
    this.#kept.push(bytes.slice());
    this.#keptBytes += bytes.length;
    this.#engineWaits = this.#full || this.#keptBytes > KEPT_BYTES_MAX;
    return !this.#engineWaits;
  }

  end(): void {
    this.#bridge.touch();
    if (this.#end === "no") this.#end = "wanted";
  }

  close(abortively: boolean): void {
    this.#bridge.touch();
    this.#engine = null;
    if (this.#close === "no") this.#close = abortively ? "abortively" : "orderly";
  }

  /** Does with the simulated wire what the engine did with this one. Its bytes go as one, in however many pieces it made them. */
  handOver(): void {
    this.#send();
    if (this.#close !== "no") {
      this.#wire.close(this.#close === "abortively");
      return;
    }
    if (this.#wantsPause !== this.#paused) {
      this.#paused = this.#wantsPause;
      if (this.#paused) this.#wire.pause();
      else this.#wire.resume();
    }
    this.#tellWritten();
  }

  get isClosed(): boolean {
    return this.#close !== "no";
  }

  /** A closed wire takes everything at once, and sends it when it can. */
  #send(): void {
    if (this.#full && !this.isClosed) return;
    if (this.#keptBytes > 0) this.#full = !this.#wire.write(joined(this.#kept.splice(0)));
    this.#keptBytes = 0;
    if (this.#end !== "wanted" || this.#full) return;
    this.#end = "told";
    this.#wire.end();
  }

  #tellWritten(): void {
    if (!this.#engineWaits || this.#full || this.#engine === null) return;
    this.#engineWaits = false;
    this.#bridge.touch();
    this.#engine.written();
  }
}

/** What the user sees of the engine's wire: it keeps what the engine tells until the world takes it. */
class WireAbove implements Wire, WireReceiver, BridgedPart {
  readonly #below: WireBelow;
  readonly #bridge: HostBridge;
  engine!: Wire;
  #receiver: WireReceiver | null = null;
  #closed = false;
  readonly #sessions: Uint8Array[] = [];
  #onSession: ((session: Uint8Array) => void) | undefined;
  #secured = false;
  readonly #bytes: Uint8Array[] = [];
  #written = false;
  #ended = false;
  #failure: Error | null = null;

  constructor(below: WireBelow, bridge: HostBridge) {
    this.#below = below;
    this.#bridge = bridge;
    bridge.add(this);
  }

  /** What the engine is made with: the sessions that it gives are kept too. */
  settings(settings: TlsSettings): TlsSettings {
    if (settings.side === "server" || settings.onSession === undefined) return settings;
    this.#onSession = settings.onSession;
    return { ...settings, onSession: (session) => this.#keep(() => this.#sessions.push(session)) };
  }

  // For the user ---------------------------------------------------------------------------------------------------------

  get details(): WireDetails {
    return this.engine.details;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.#bridge.touch();
    this.engine.open(this);
  }

  pause(): void {
    this.#bridge.touch();
    this.engine.pause();
  }

  resume(): void {
    this.#bridge.touch();
    this.engine.resume();
  }

  /** Never at once: whether the engine takes bytes at once differs from runtime to runtime. */
  write(bytes: Uint8Array): boolean {
    this.#bridge.touch();
    if (this.engine.write(bytes)) this.#written = true;
    return false;
  }

  end(): void {
    this.#bridge.touch();
    this.engine.end();
  }

  close(abortively: boolean): void {
    this.#bridge.touch();
    this.#receiver = null;
    this.#closed = true;
    this.engine.close(abortively);
  }

  // What the engine tells ------------------------------------------------------------------------------------------------

  secured(): void {
    this.#keep(() => (this.#secured = true));
  }

  received(bytes: Uint8Array): void {
    this.#keep(() => this.#bytes.push(bytes));
  }

  written(): void {
    this.#keep(() => (this.#written = true));
  }

  ended(): void {
    this.#keep(() => (this.#ended = true));
  }

  failed(error: Error): void {
    this.#keep(() => (this.#failure = error));
  }

  #keep(keep: () => void): void {
    this.#bridge.touch();
    keep();
  }

  // For the bridge -------------------------------------------------------------------------------------------------------

  /** In an order of its own, since the engine's differs from runtime to runtime. */
  take(): () => void {
    const bytes = this.#bytes.splice(0);
    const sessions = this.#sessions.splice(0);
    const tellings: ((receiver: WireReceiver) => void)[] = [];
    if (this.#secured) tellings.push((receiver) => receiver.secured?.());
    if (bytes.length > 0) tellings.push((receiver) => receiver.received(joined(bytes)));
    if (this.#written) tellings.push((receiver) => receiver.written());
    if (this.#ended) tellings.push((receiver) => receiver.ended());
    const failure = this.#failure;
    if (failure !== null) tellings.push((receiver) => receiver.failed(failure));
    this.#secured = false;
    this.#written = false;
    this.#ended = false;
    this.#failure = null;
    return () => {
      this.#below.handOver();
      for (const session of sessions) this.#onSession?.(session);
      for (const tell of tellings) if (this.#receiver !== null) tell(this.#receiver);
      if (this.#closed && this.#below.isClosed) this.#bridge.remove(this);
    };
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
