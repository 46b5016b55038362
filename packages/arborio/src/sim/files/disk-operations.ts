import type { Completion, Withdraw } from "../../platform/network.ts";
import { type SystemCode, systemError } from "../system-errors.ts";
import type { Disk } from "./disk.ts";
import type { DiskTimes } from "./disk-times.ts";

/** What an operation gives, or why it gives nothing. */
export type Result<T> = { readonly value: T } | SystemCode;

export const DONE: { readonly value: undefined } = { value: undefined };

/** The operations on a disk that one program begins: each happens a little later. */
export class DiskOperations {
  readonly disk: Disk;
  readonly times: DiskTimes;
  /** The program has ended: nothing begins any more. */
  #hasEnded = false;
  /** The machine went down: what had begun does not happen either. */
  #isDown = false;

  constructor(disk: Disk, times: DiskTimes) {
    this.disk = disk;
    this.times = times;
  }

  end(): void {
    this.#hasEnded = true;
  }

  crash(): void {
    this.#hasEnded = true;
    this.#isDown = true;
  }

  /** Begins what happens even if it is withdrawn: then only nobody but `ended` is told. */
  begin<T>(
    attempt: string,
    completion: Completion<T>,
    operation: () => Result<T>,
    ended: () => void = () => {},
  ): Withdraw {
    let isWanted = true;
    const isTooLate = this.#hasEnded;
    this.times.after(() => {
      const result = isTooLate || this.#isDown ? "EIO" : operation();
      ended();
      if (isWanted) settle(attempt, completion, result);
    });
    return () => {
      isWanted = false;
    };
  }

  /** Begins what only asks: withdrawn, it does not happen. */
  ask<T>(attempt: string, completion: Completion<T>, question: () => Result<T>): Withdraw {
    return this.times.after(() => settle(attempt, completion, this.#hasEnded ? "EIO" : question()));
  }
}

function settle<T>(attempt: string, completion: Completion<T>, result: Result<T>): void {
  if (typeof result === "string") completion.fail(systemError(attempt, result));
  else completion.succeed(result.value);
}
