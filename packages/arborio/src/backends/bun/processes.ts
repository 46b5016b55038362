import type { Writable } from "node:stream";
import type { Processes } from "../../platform/processes.ts";
import type { Wire, WireDetails, WireReceiver } from "../../platform/wire.ts";
import { createProcesses } from "../shared/node-processes.ts";
import { NO_DETAILS } from "../shared/node-stdio.ts";
import { InputPipe, nobodyReads } from "../shared/pipe-wires.ts";
import { toSystemError } from "../shared/system-error.ts";

/**
 * As on Node, but for the input of processes: Bun's stream says that bytes were written before they were, and tells nobody if that
 * fails then (seen with 1.4.5). What the stream writes to is better: it tells both.
 */
export const bunProcesses: Processes = createProcesses({
  openInput(stream) {
    const sink = sinkOf(stream);
    return sink === undefined ? new InputPipe(stream) : new SinkPipe(stream, sink);
  },
});

/** Bun's `FileSink`. What these throw, or reject with, has the system's code. */
interface Sink {
  write(bytes: Uint8Array): number | Promise<number>;
  flush(): number | Promise<number>;
  end(): number | Promise<number>;
}

function sinkOf(stream: Writable): Sink | undefined {
  const symbol = Object.getOwnPropertySymbols(stream).find(
    ({ description }) => description === "kWriteStreamFastPath",
  );
  const sink =
    symbol === undefined ? undefined : (stream as unknown as Record<symbol, unknown>)[symbol];
  const { write, flush, end } = (sink ?? {}) as Partial<Sink>;
  const isSink = [write, flush, end].every((method) => typeof method === "function");
  return isSink ? (sink as Sink) : undefined;
}

class SinkPipe implements Wire {
  readonly details: WireDetails = NO_DETAILS;
  readonly #sink: Sink;
  #receiver: WireReceiver | null = null;
  #failure: Error | null = null;
  #ended = false;

  constructor(stream: Writable, sink: Sink) {
    this.#sink = sink;
    stream.on("error", (error) => this.#fail(error));
    // Bun closes it when the process has ended.
    stream.on("close", () => this.#fail(nobodyReads()));
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    if (this.#failure !== null) queueMicrotask(() => this.#tell());
  }

  write(bytes: Uint8Array): boolean {
    try {
      const written = this.#sink.write(bytes);
      const flushed = this.#sink.flush();
      if (typeof written === "number" && typeof flushed === "number") return true;
      Promise.all([Promise.resolve(written), Promise.resolve(flushed)]).then(
        () => this.#receiver?.written(),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      queueMicrotask(() => this.#fail(error));
    }
    return false;
  }

  #fail(error: unknown): void {
    this.#failure ??= toSystemError("write to the process", error);
    this.#tell();
  }

  #tell(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.failed(this.#failure as Error);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    try {
      Promise.resolve(this.#sink.end()).catch(() => {});
    } catch {
      // The process reads no more; nobody waits for these bytes.
    }
  }

  /** What was given to the sink goes out in any case: it cannot be cut. */
  close(): void {
    this.#receiver = null;
    this.end();
  }

  pause(): void {}
  resume(): void {}
}
