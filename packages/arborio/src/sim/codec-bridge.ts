import type { Codec, CodecEnding, CodecSettings, Compression } from "../platform/compression.ts";
import type { Completion } from "../platform/network.ts";
import type { BridgedPart, HostBridge } from "./host-bridge.ts";

/** The host's own compressors, whose work takes no simulated time. */
export function bridgeCompression(compression: Compression, bridge: HostBridge): Compression {
  return {
    formats: compression.formats,
    convert: (...call) => compression.convert(...call),
    open: (settings: CodecSettings) => new BridgedCodec(compression.open(settings), bridge),
  };
}

type Result = { readonly bytes: Uint8Array | null } | { readonly error: Error };

class BridgedCodec implements Codec, BridgedPart {
  readonly #codec: Codec;
  readonly #bridge: HostBridge;
  #reading: Completion<Uint8Array | null> | null = null;
  /** Ends what the bridge waits for. */
  #done: (() => void) | null = null;
  #result: Result | null = null;
  #closed = false;

  constructor(codec: Codec, bridge: HostBridge) {
    this.#codec = codec;
    this.#bridge = bridge;
    bridge.add(this);
  }

  write(input: Uint8Array, ending: CodecEnding): void {
    this.#codec.write(input, ending);
  }

  read(completion: Completion<Uint8Array | null>): void {
    this.#reading = completion;
    this.#done = this.#bridge.begin();
    const settled = (result: Result): void => {
      if (this.#reading !== completion) return;
      this.#result = result;
      this.#end();
    };
    this.#codec.read({
      succeed: (bytes) => settled({ bytes }),
      fail: (error) => settled({ error }),
    });
  }

  get ended(): boolean {
    return this.#codec.ended;
  }

  reset(): void {
    this.#codec.reset();
  }

  close(): void {
    this.#closed = true;
    this.#reading = null;
    this.#end();
    this.#bridge.remove(this);
    this.#codec.close();
  }

  #end(): void {
    const done = this.#done;
    this.#done = null;
    done?.();
  }

  take(): (() => void) | null {
    const result = this.#result;
    const reading = this.#reading;
    if (result === null || reading === null) return null;
    this.#result = null;
    this.#reading = null;
    return () => {
      if (this.#closed) return;
      if ("error" in result) reading.fail(result.error);
      else reading.succeed(result.bytes);
    };
  }
}
