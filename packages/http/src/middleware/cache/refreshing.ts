import { Cancelled, GroupClosedError, type TaskGroup, type TaskHandle } from "arborio";
import { ClientRequest } from "../../client/client-request.ts";
import { RequestFailedError } from "../../connection/request-failed-error.ts";
import type { CachedResponse } from "./cache-store.ts";
import type { Asking, Forwarding } from "./forwarding.ts";

/** Requests in the background at most; beyond that, who asks waits. */
const REFRESHES_MAX = 100;

/** Asks in the background again for what is used meanwhile; one request for each response. */
export class Refreshing {
  readonly #forwarding: Forwarding;
  readonly #group: TaskGroup | null;
  readonly #bytesMax: number;
  readonly #onError: (error: unknown) => void;
  readonly #running: Map<string, TaskHandle<void>> = new Map();

  constructor(
    forwarding: Forwarding,
    group: TaskGroup | null,
    bytesMax: number,
    onError: (error: unknown) => void,
  ) {
    this.#forwarding = forwarding;
    this.#group = group;
    this.#bytesMax = bytesMax;
    this.#onError = onError;
  }

  /** Whether it is asked for again. It is not if there is nobody to do it. */
  start(asking: Asking, found: CachedResponse): boolean {
    const group = this.#group;
    if (group === null || group.scope.shuttingDown || group.scope.cancelCalled) return false;
    const name = JSON.stringify([asking.key, found.vary]);
    for (const [other, task] of this.#running)
      if (task.status !== "pending" && task.status !== "cancelling") this.#running.delete(other);
    if (this.#running.has(name)) return true;
    if (this.#running.size >= REFRESHES_MAX) return false;
    try {
      const task = group.startSoon(() => this.#refresh(asking, found), {
        name: `refresh ${asking.request.url}`,
      });
      this.#running.set(name, task);
      return true;
    } catch (error) {
      if (error instanceof GroupClosedError) return false;
      throw error;
    }
  }

  async #refresh(asking: Asking, found: CachedResponse): Promise<void> {
    const { parts } = asking.request;
    // Who asked may go away, and this goes on.
    const request = new ClientRequest({ ...parts, options: { ...parts.options, signal: null } });
    try {
      const { response } = await this.#forwarding.forward({ ...asking, request }, found, null);
      using _closed = response;
      let bytes = 0;
      for await (const piece of response.bodyStream ?? [])
        if ((bytes += piece.length) > this.#bytesMax) break;
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      // That the server cannot be reached will be told to who has to wait for it.
      if (!(error instanceof RequestFailedError)) this.#onError(error);
    }
  }
}
