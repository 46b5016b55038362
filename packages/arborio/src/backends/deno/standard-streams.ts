import type { StandardStreams } from "../../platform/standard-streams.ts";
import type { Wire, WireReceiver } from "../../platform/wire.ts";
import { outsideContext } from "../shared/ambient.ts";
import { NO_DETAILS, nodeStandardStreams } from "../shared/node-stdio.ts";
import { toSystemError } from "../shared/system-error.ts";

interface Output {
  /** Writes a part, in a thread; how much it was. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Input as on Node. Output by Deno's own streams, since Deno's `process.stdout` writes synchronously (seen with 2.9): a slow reader
 * of a pipe would stop the whole program.
 */
export const denoStandardStreams: StandardStreams = {
  openInput: () => nodeStandardStreams.openInput(),
  openOutput: (which) => new DenoOutputWire(which),
};

/** So much at once, so that little goes out of a `send` that was cut. */
const PIECE_BYTES = 65_536;

class DenoOutputWire implements Wire {
  readonly details = NO_DETAILS;
  readonly #which: "output" | "error";
  #receiver: WireReceiver | null = null;

  constructor(which: "output" | "error") {
    this.#which = which;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
  }

  write(bytes: Uint8Array): boolean {
    const copy = new Uint8Array(bytes);
    outsideContext(() => inTurn(this.#which, copy)).then(
      () => this.#receiver?.written(),
      (error: unknown) =>
        this.#receiver?.failed(toSystemError(`write to standard ${this.#which}`, error)),
    );
    return false;
  }

  close(): void {
    this.#receiver = null;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
}

/** The last write of each; the next begins when it has ended, whoever it belongs to. */
const last: Record<"output" | "error", Promise<void>> = {
  output: Promise.resolve(),
  error: Promise.resolve(),
};

function inTurn(which: "output" | "error", bytes: Uint8Array): Promise<void> {
  const writing = last[which].then(() => writeAll(which, bytes));
  last[which] = writing.catch(() => {});
  return writing;
}

async function writeAll(which: "output" | "error", bytes: Uint8Array): Promise<void> {
  const { Deno } = globalThis as unknown as { Deno: { stdout: Output; stderr: Output } };
  const output = which === "output" ? Deno.stdout : Deno.stderr;
  let sent = 0;
  while (sent < bytes.length) sent += await output.write(bytes.subarray(sent, sent + PIECE_BYTES));
}
