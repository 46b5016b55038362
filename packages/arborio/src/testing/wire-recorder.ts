import { TlsError } from "../core/errors.ts";
import type { WireReceiver } from "../platform/wire.ts";

/** A receiver that notes what it is told, for tests of wires. */
export class WireRecorder implements WireReceiver {
  /**
   * In order: `"bytes"` (several in a row are one), `"ended"`, `"written"`, `"secured"`, `"failed: …"` with the reason of a `TlsError`,
   * or the code or name of another error.
   */
  readonly events: string[] = [];
  /** All that was received. */
  bytes: Uint8Array = new Uint8Array(0);
  error: Error | undefined;
  /** Called with a failure, when it is told. */
  onFailed: () => void = () => {};
  readonly #waiting: (() => void)[] = [];

  received(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.bytes.length + bytes.length);
    joined.set(this.bytes);
    joined.set(bytes, this.bytes.length);
    this.bytes = joined;
    if (this.events.at(-1) === "bytes") this.#look();
    else this.#note("bytes");
  }

  ended(): void {
    this.#note("ended");
  }

  written(): void {
    this.#note("written");
  }

  secured(): void {
    this.#note("secured");
  }

  failed(error: Error): void {
    this.error = error;
    const { systemCode = error.name } = error as { systemCode?: string };
    this.#note(`failed: ${error instanceof TlsError ? error.reason : systemCode}`);
    this.onFailed();
  }

  /** What was received, as text. */
  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** Waits until `event` was told, so many times. */
  async until(event: string, times = 1): Promise<void> {
    await this.when(() => this.events.filter((one) => one === event).length >= times);
  }

  /** Waits until so many bytes were received. */
  async untilBytes(count: number): Promise<void> {
    await this.when(() => this.bytes.length >= count);
  }

  /** Waits until `condition` holds, which it is asked whenever something was told. */
  async when(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #note(event: string): void {
    this.events.push(event);
    this.#look();
  }

  #look(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
