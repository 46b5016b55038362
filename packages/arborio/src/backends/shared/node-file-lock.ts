/**
 * Advisory locks of flock(2), which no runtime offers. Such a lock belongs to the open file description, whoever took it: the program
 * `flock` takes it through a descriptor that it inherits, and when it has ended the lock is still ours. For each lock the file is opened
 * once more, so that giving it up is nothing but closing that descriptor, at once and whatever else runs on the file.
 *
 * Its weak point: after SIGKILL of this process a `flock` that waits stays until it gets the lock; then it ends.
 */
import type { ChildProcess } from "node:child_process";
import { NotSupportedError, SystemError } from "../../core/errors.ts";
import type { LockRequest } from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import { pathLinkOf } from "./descriptor-path.ts";
import {
  forget,
  keepFromLeaving,
  type LeftProcess,
  startWatched,
  type WatchEnd,
} from "./left-processes.ts";
import type { OpenDescriptor } from "./node-file.ts";
import { codeOf, toSystemError } from "./system-error.ts";

const fs = lazily("node:fs");
const childProcess = lazily("node:child_process");

/** What `flock -n` ends with if somebody is in the way. */
const CONFLICT = 1;

/** So much of what the program says about its failure is kept, in characters. */
const MESSAGE_LENGTH_MAX = 1000;

/** The lock of one open file. */
export class NodeFileLock {
  readonly #open: OpenDescriptor;
  readonly #watchEnd: WatchEnd;
  /** The descriptor that has the lock, or for which one is waited. */
  #descriptor: number | null = null;
  #waiting: FlockProgram | null = null;

  constructor(open: OpenDescriptor, watchEnd: WatchEnd) {
    this.#open = open;
    this.#watchEnd = watchEnd;
  }

  /** As `FileHandle.lock`. What it had before is given up first, as flock(2) does. */
  request({ kind, wait }: LockRequest, completion: Completion<boolean>): Withdraw {
    this.giveUp();
    if (kind === "none") return soon(() => completion.succeed(true));
    const attempt = `lock ${this.#open.path}`;
    const args = [kind === "shared" ? "-s" : "-x", ...(wait ? [] : ["-n"]), "0"];
    let program: FlockProgram;
    try {
      this.#descriptor = openAgain(this.#open);
      program = new FlockProgram(args, this.#descriptor, this.#watchEnd);
    } catch (error) {
      this.giveUp();
      return soon(() => completion.fail(toSystemError(attempt, error)));
    }
    this.#waiting = program;
    program.onEnd((end) => {
      if (this.#waiting !== program) return;
      this.#waiting = null;
      if (end.code === 0) return completion.succeed(true);
      this.giveUp();
      if (end.code === CONFLICT && !wait) completion.succeed(false);
      else completion.fail(failureOf(attempt, end));
    });
    return () => {
      if (this.#waiting === program) this.giveUp();
    };
  }

  /** No lock is held after this, nor waited for. */
  giveUp(): void {
    this.#waiting?.kill();
    this.#waiting = null;
    if (this.#descriptor !== null) fs().closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}

/** Tells as soon as the caller has returned, unless it is withdrawn. */
function soon(tell: () => void): Withdraw {
  let isWanted = true;
  queueMicrotask(() => {
    if (isWanted) tell();
  });
  return () => {
    isWanted = false;
  };
}

/** How the program ended. */
interface FlockEnd {
  readonly code: number | null;
  /** What it said, or what kept it from starting. */
  readonly problem: unknown;
}

/** The program `flock` at work on a descriptor. */
class FlockProgram implements LeftProcess {
  readonly #child: ChildProcess;
  #hasEnded = false;

  constructor(args: readonly string[], descriptor: number, watchEnd: WatchEnd) {
    this.#child = startWatched(watchEnd, () => {
      const child = outsideContext(() =>
        childProcess().spawn("flock", args, {
          // In a group of its own: Ctrl-C is for this process to answer.
          detached: true,
          stdio: [descriptor, "ignore", "pipe"],
        }),
      );
      if (child.pid !== undefined) keepFromLeaving(this);
      return child;
    });
  }

  onEnd(ended: (end: FlockEnd) => void): void {
    let said = "";
    const end = (code: number | null, problem: unknown): void => {
      if (this.#hasEnded) return;
      this.#hasEnded = true;
      forget(this);
      ended({ code, problem });
    };
    this.#child.stderr?.on("data", (chunk: Uint8Array) => {
      said = (said + new TextDecoder().decode(chunk)).slice(0, MESSAGE_LENGTH_MAX);
    });
    this.#child.on("error", (error) => end(null, error));
    this.#child.on("close", (code, signal) => {
      const how = signal === null ? `exit code ${String(code)}` : `signal ${signal}`;
      end(code, said.trim() || how);
    });
  }

  kill(): void {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
  }

  isAlive(): boolean {
    return !this.#hasEnded;
  }

  killNow(): void {
    this.kill();
  }
}

function failureOf(attempt: string, { problem }: FlockEnd): Error {
  if (codeOf(problem) === "ENOENT") {
    return new NotSupportedError(
      `${attempt}: needs the program flock (of util-linux), which is not here; no runtime can take such a lock itself`,
      { cause: problem },
    );
  }
  if (problem instanceof Error) return toSystemError(attempt, problem);
  return new SystemError(`${attempt}: the program flock failed: ${String(problem)}`, "EUNKNOWN");
}

/** Another descriptor of the same file. Any access will do for a lock: a file may be one that nobody may open again as it is open. */
function openAgain({ descriptor, path, flags }: OpenDescriptor): number {
  const { constants } = fs();
  const others = [constants.O_RDONLY, constants.O_WRONLY];
  let refusal: unknown;
  for (const access of [flags, ...others.map((other) => other | constants.O_NONBLOCK)]) {
    try {
      return openSame(descriptor, path, access);
    } catch (error) {
      if (codeOf(error) !== "EACCES") throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

function openSame(descriptor: number, path: string, flags: number): number {
  const again = fs().openSync(pathLinkOf(descriptor) ?? path, flags);
  const is = fs().fstatSync(again);
  const wanted = fs().fstatSync(descriptor);
  if (is.ino === wanted.ino && is.dev === wanted.dev) return again;
  fs().closeSync(again);
  throw new SystemError(`lock ${path}: another file is there by now (ESTALE)`, "ESTALE");
}
