import { ProtocolError } from "../protocol/protocol-error.ts";
import type { ServerConnection } from "./server-connection.ts";

/** How long a connection waits for the head of a request. */
export class HeadWait {
  readonly #connection: ServerConnection;
  #isLeaving = false;

  constructor(connection: ServerConnection) {
    this.#connection = connection;
  }

  /** Before a head is waited for. `false`: there will be none. */
  begin(): boolean {
    const { inlet, parser, awaited, core } = this.#connection;
    const { headMs, idleMs } = core.timeouts;
    if (inlet.ended) return false;
    if (!parser.atMessageStart) {
      if (awaited.what !== "head") awaited.begin("head", core.due(headMs));
      return true;
    }
    if (this.#isLeaving) return false;
    if (awaited.what === "nothing") awaited.begin("request", core.due(idleMs));
    return true;
  }

  /** Whether the time for it has not passed. @throws ProtocolError if it has, and a part of it has come. */
  goesOn(): boolean {
    const { parser, awaited } = this.#connection;
    if (!awaited.isOverdue) return true;
    if (parser.atMessageStart) return false;
    // What has begun to come just now has its own time.
    if (awaited.what === "request") return true;
    throw new ProtocolError(408, "head-timeout", "the request did not come in time");
  }

  /** What has not begun to come is not waited for any more. */
  leave(): void {
    this.#isLeaving = true;
    const { inlet, awaited } = this.#connection;
    if (awaited.what === "request" || awaited.what === "head") inlet.wake();
  }
}
