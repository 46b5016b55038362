import { now } from "arborio";
import type { ServerCore } from "./server-core.ts";
import type { WireInlet } from "./wire-inlet.ts";

/** A body makes progress with so many bytes: fewer at a time, however often, do not put its deadline off. */
const PROGRESS_BYTES = 1024;

/** How much longer a client may take for its body: only the time counts in which somebody waits for it. */
export class BodyProgress {
  readonly #inlet: WireInlet;
  readonly #core: ServerCore;
  #leftMs = 0;
  #bytesBefore = 0;
  #waitsSince = 0;

  constructor(inlet: WireInlet, core: ServerCore) {
    this.#inlet = inlet;
    this.#core = core;
  }

  /** A request begins. */
  begin(): void {
    this.#leftMs = this.#core.timeouts.bodyMs;
    this.#bytesBefore = this.#inlet.bytesReceived;
  }

  /** Somebody waits from now on. @returns until when. */
  until(): number {
    if (this.#inlet.bytesReceived - this.#bytesBefore >= PROGRESS_BYTES) this.begin();
    this.#waitsSince = now();
    return this.#core.due(this.#leftMs);
  }

  /** Nobody waits any more. */
  waited(): void {
    this.#leftMs -= now() - this.#waitsSince;
  }
}
