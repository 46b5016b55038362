import { CommandError } from "../command-error.ts";
import type { Checksum } from "./checksum.ts";
import type { Part, Version } from "./range-plan.ts";

/** Where the bytes of a download go. */
export interface Target {
  /** What is there of a version, and may be completed; `null`: nothing. */
  readonly part: Part | null;
  /** Takes the bytes of a version from its beginning on; what was there is dropped. */
  begin(version: Version): Promise<void>;
  /** Takes the bytes that are missing to the part, of whose version more may be known by now. */
  resume(version: Version): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  /**
   * All bytes are there: checks them, and makes them the result.
   *
   * @throws CommandError if they are not what they should be; they are dropped then.
   */
  finish(checksum: Checksum | null): Promise<void>;
  /** Gives up, or has finished. What can be completed later stays. */
  close(): Promise<void>;
}

/** What `finish` throws if a checksum is another one. */
export function wrongChecksum(needed: Checksum, found: string): CommandError {
  return new CommandError(
    `its ${needed.algorithm} checksum is ${found}, and should be ${needed.hex}; what came was thrown away`,
  );
}
