import { BrokenResourceError, checkpoint } from "arborio";
import { createDigest, type Digest } from "arborio/lowlevel";
import type { ByteSendStream } from "arborio/process";
import { CommandError } from "../command-error.ts";
import { type Checksum, hexOf } from "./checksum.ts";
import type { Part, Version } from "./range-plan.ts";
import type { Target } from "./target.ts";

/** Standard output: what was written cannot be taken back, but a download that breaks can still be completed. */
export class OutputTarget implements Target {
  readonly #output: ByteSendStream;
  readonly #digest: Digest | null;
  readonly #onLost: (cause: Error) => void;
  #version: Version | null = null;
  #sizeBytes = 0;

  /** @param onLost called when it takes nothing any more; it is to cancel what is around. */
  constructor(output: ByteSendStream, checksum: Checksum | null, onLost: (cause: Error) => void) {
    this.#output = output;
    this.#onLost = onLost;
    this.#digest = checksum === null ? null : createDigest(checksum.algorithm);
  }

  get part(): Part | null {
    const version = this.#version;
    return version === null ? null : { version, sizeBytes: this.#sizeBytes };
  }

  async begin(version: Version): Promise<void> {
    if (this.#sizeBytes > 0) {
      throw new CommandError(
        "it broke off, and its rest cannot be had; what went to standard output is incomplete",
      );
    }
    this.#version = version;
  }

  async resume(version: Version): Promise<void> {
    this.#version = version;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#digest?.update(bytes);
    try {
      await this.#output.send(bytes);
    } catch (error) {
      if (!(error instanceof BrokenResourceError)) throw error;
      this.#onLost(error.cause instanceof Error ? error.cause : error);
      await checkpoint();
      throw new CommandError("standard output takes nothing any more");
    }
    this.#sizeBytes += bytes.length;
  }

  async finish(checksum: Checksum | null): Promise<void> {
    if (checksum === null || this.#digest === null) return;
    const found = hexOf(this.#digest.digest());
    if (found === checksum.hex) return;
    throw new CommandError(
      `its ${checksum.algorithm} checksum is ${found}, and should be ${checksum.hex}; it went to standard output nevertheless`,
    );
  }

  async close(): Promise<void> {
    this.#output.close();
  }
}
