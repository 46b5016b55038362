/**
 * Opening a listening socket: what is the same for `node:net` and for a runtime's own listeners. For TCP that is one attempt. At a
 * path, a socket's file that an earlier listener left behind is replaced, and nobody can connect before the permissions are right.
 */
import { SystemError } from "../../core/errors.ts";
import type { Completion, ListenerHandle, ListenTarget, Withdraw } from "../../platform/network.ts";
import type { SocketAddress } from "../../platform/wire.ts";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";
import { describeTarget } from "./describe-target.ts";
import { faultOfDescriptor } from "./descriptor.ts";
import { codeOf, toSystemError } from "./system-error.ts";
import { codeOfFolder, isFilePath, PrivateFolder, removeStale } from "./unix-path.ts";

const fs = lazily("node:fs");

/** What an attempt to listen has come to: `null`, or an error. */
export type Settled = (error: unknown) => void;

/** A socket that listens, or is about to. */
export interface ListeningSocket extends ListenerHandle {
  /** Known once it listens. */
  readonly address: SocketAddress;
  /** At any time; afterwards the attempt is not settled any more. Removes the file it was bound to. */
  close(): void;
}

/** Tries to listen. `settled` is called once, though not before this returned, unless the socket is closed. */
export type Attempt = (at: ListenTarget, settled: Settled) => ListeningSocket;

export function openListener(
  target: ListenTarget,
  completion: Completion<ListenerHandle>,
  attempt: Attempt,
): Withdraw {
  // Sockets made in a task's async context would keep that context alive.
  return outsideContext(() => {
    const opening =
      target.kind === "unix" && isFilePath(target.path)
        ? new PathListener(target, completion, attempt)
        : new PlainListener(target, completion, attempt);
    return opening.start();
  });
}

/** A listener without a file. */
class PlainListener {
  readonly #target: ListenTarget;
  readonly #completion: Completion<ListenerHandle>;
  readonly #attempt: Attempt;

  constructor(target: ListenTarget, completion: Completion<ListenerHandle>, attempt: Attempt) {
    this.#target = target;
    this.#completion = completion;
    this.#attempt = attempt;
  }

  start(): Withdraw {
    const socket = this.#attempt(this.#target, (error) => {
      if (error === null) {
        this.#completion.succeed(socket);
        return;
      }
      socket.close();
      const fault =
        this.#target.kind === "descriptor" ? faultOfDescriptor(this.#target.descriptor) : null;
      const where = describeTarget(this.#target);
      this.#completion.fail(toSystemError(`listen on ${where}`, fault ?? error));
    });
    return () => socket.close();
  }
}

type PathTarget = ListenTarget & { readonly kind: "unix" };

/** A listener at a path. */
class PathListener {
  readonly #target: PathTarget;
  readonly #completion: Completion<ListenerHandle>;
  readonly #attempt: Attempt;
  #socket: ListeningSocket | null = null;
  /** Where a socket with permissions of its own comes into being; `null` if it is bound to its path at once. */
  #folder: PrivateFolder | null = null;
  #withdrawn = false;

  constructor(target: PathTarget, completion: Completion<ListenerHandle>, attempt: Attempt) {
    this.#target = target;
    this.#completion = completion;
    this.#attempt = attempt;
  }

  start(): Withdraw {
    try {
      if (this.#target.mode !== undefined) this.#folder = PrivateFolder.beside(this.#target.path);
      this.#listen(true);
    } catch (error) {
      queueMicrotask(() => this.#fail(error));
    }
    return () => {
      this.#withdrawn = true;
      this.#discard();
    };
  }

  #listen(mayReplace: boolean): void {
    const path = this.#folder?.socketPath ?? this.#target.path;
    this.#socket = this.#attempt({ ...this.#target, path }, (error) => {
      if (error === null) this.#opened(mayReplace);
      else if (mayReplace && codeOf(error) === "EADDRINUSE")
        this.#replace(() => this.#listen(false));
      else this.#fail(error);
    });
  }

  /** It listens. Now for its permissions, and its place. */
  #opened(mayReplace: boolean): void {
    const { path, mode } = this.#target;
    const folder = this.#folder;
    try {
      if (folder !== null) folder.moveOut(mode as number);
      else if (mode !== undefined) fs().chmodSync(path, mode);
    } catch (error) {
      const code = codeOf(error);
      if (code === "EEXIST" && mayReplace) this.#replace(() => this.#opened(false));
      else if (folder !== null && PrivateFolder.isUnsupported(code))
        this.#listenInTheOpen(mayReplace);
      else this.#fail(error);
      return;
    }
    const socket = this.#socket as ListeningSocket;
    this.#completion.succeed({
      address: { path },
      close: () => {
        socket.close();
        folder?.removeMoved();
      },
    });
  }

  /** Without links there is a moment in which the socket has the permissions of the umask. */
  #listenInTheOpen(mayReplace: boolean): void {
    this.#discard();
    this.#listen(mayReplace);
  }

  /** The path is taken. Goes on if that was by something that nobody uses. */
  #replace(goOn: () => void): void {
    removeStale(this.#target.path, (obstacle) => {
      if (this.#withdrawn) return;
      if (obstacle === null) {
        goOn();
        return;
      }
      const where = describeTarget(this.#target);
      this.#fail(new SystemError(`listen on ${where}: ${obstacle} (EADDRINUSE)`, "EADDRINUSE"));
    });
  }

  #fail(error: unknown): void {
    if (this.#withdrawn) return;
    this.#discard();
    const where = describeTarget(this.#target);
    const code = codeOf(error);
    // Node's own, so that Windows and others agree, says so of a folder that is missing.
    const folderCode = code === "EACCES" ? codeOfFolder(this.#target.path) : null;
    const told =
      folderCode === null && code !== "EEXIST"
        ? error
        : Object.assign(new Error(`listen on ${where}`, { cause: error }), {
            code: folderCode ?? "EADDRINUSE",
          });
    this.#completion.fail(toSystemError(`listen on ${where}`, told));
  }

  #discard(): void {
    this.#socket?.close();
    this.#folder?.remove();
    this.#socket = null;
    this.#folder = null;
  }
}
