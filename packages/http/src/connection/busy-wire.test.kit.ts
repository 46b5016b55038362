/** A wire that takes nothing at once, so that every write has to be waited for; and a server's connection over it. */
import assert from "node:assert/strict";
import type { TaskGroup } from "arborio";
import type { Wire, WireDetails, WireReceiver } from "arborio/lowlevel";
import { ConnectionServer } from "../server/connection-server.ts";
import type { Handler } from "../server/handler.ts";
import type { HandlingOptions } from "../server/server-options.ts";
import { bytesOf } from "./raw-client.test.kit.ts";
import { ServerConnection } from "./server-connection.ts";

export class BusyWire implements Wire {
  /** What was written, each write as text. */
  readonly writes: string[] = [];
  readonly details: WireDetails = {} as WireDetails;
  /** `"open"`, or how it was closed. */
  state: "open" | "closed" | "reset" = "open";
  #isBusy = false;
  #receiver: WireReceiver | null = null;

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}

  write(bytes: Uint8Array): boolean {
    assert.equal(this.#isBusy, false, "written to while it is busy");
    this.#isBusy = true;
    this.writes.push(String.fromCharCode(...bytes));
    return false;
  }

  close(abortively: boolean): void {
    this.state = abortively ? "reset" : "closed";
  }

  /** The client sends. */
  receive(text: string): void {
    this.#receiver?.received(bytesOf(text));
  }

  /** The client takes what was written. @returns whether there was something. */
  take(): boolean {
    if (!this.#isBusy) return false;
    this.#isBusy = false;
    this.#receiver?.written();
    return true;
  }

  /** The client ends. */
  finish(): void {
    this.#receiver?.ended();
  }
}

/** Serves a connection over `wire`, with deadlines, in tasks of `group`. */
export function startServing(
  group: TaskGroup,
  wire: Wire,
  handler: Handler,
  options: HandlingOptions = {},
): ConnectionServer {
  const core = new ConnectionServer("test", handler, options);
  group.startSoon(() =>
    core.run({
      accept: async () => {
        await new ServerConnection(wire, core).run();
      },
      stop: () => {},
    }),
  );
  return core;
}
