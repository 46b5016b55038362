import { Cancelled } from "arborio";
import type { ClientRequest } from "../../client/client-request.ts";
import type { ResponseHead } from "../../protocol/message.ts";
import { anonymousKey, cacheKey, hasFields, varyFields } from "./cache-key.ts";
import { CachePolicy } from "./cache-policy.ts";
import type { CachedResponse, CacheStore } from "./cache-store.ts";
import { isPlain, keptFields } from "./cached-response.ts";
import { Invalidations } from "./invalidations.ts";

/** Responses to one URL that differ by `Vary`; servers with more (by `User-Agent`, say) are not worth a cache. */
const VARIANTS_MAX = 8;

/** When a request was sent: by the clock, and among the changes. */
export interface Begun {
  readonly at: number;
  readonly moment: number;
}

/** What is kept, over a store: chosen by `Vary`, and only if nothing was changed meanwhile. */
export class ResponseCache {
  readonly #store: CacheStore;
  readonly #onError: (error: unknown) => void;
  readonly #invalidations: Invalidations = new Invalidations();

  constructor(store: CacheStore, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  /** That a request is sent now. */
  begin(at: number): Begun {
    return { at, moment: this.#invalidations.begin() };
  }

  /** The response that a request may be answered with, if it is fresh enough. */
  async find(key: string, { url, fields }: ClientRequest): Promise<CachedResponse | null> {
    const responses = (await this.#safely(() => this.#store.get(key))) ?? [];
    const isAnonymous = key === anonymousKey(url);
    return (
      responses.find(
        ({ vary, requestedAt }) =>
          hasFields(fields, vary) &&
          this.#invalidations.isCurrent(url, key, isAnonymous, requestedAt),
      ) ?? null
    );
  }

  /** What would be kept of a response, but for its body; `null`: it may not be. */
  storable(
    request: ClientRequest,
    sent: ClientRequest,
    { status, reason, version, fields, framing }: ResponseHead,
    { at }: Begun,
  ): Omit<CachedResponse, "bytes"> | null {
    // What ends with the connection may have been cut: RFC 9112 §8.
    if (framing === "close" || !isPlain(fields)) return null;
    const vary = varyFields(fields, request.fields, sent.fields);
    if (vary === null) return null;
    const head = { status, reason, version, fields: keptFields(fields), vary, requestedAt: at };
    return new CachePolicy(head).isStorable ? head : null;
  }

  /** Keeps a response, unless its URL was changed since it was asked for. */
  async keep(
    key: string,
    { url }: ClientRequest,
    response: CachedResponse,
    { moment }: Begun,
  ): Promise<void> {
    const others = (await this.#safely(() => this.#store.get(key))) ?? [];
    const names = response.vary.filter((_, index) => index % 2 === 0).join();
    const kept = others.filter(
      ({ vary }) =>
        vary.filter((_, index) => index % 2 === 0).join() === names &&
        vary.join("\n") !== response.vary.join("\n"),
    );
    if (!this.#invalidations.isUnchanged(url, moment)) return;
    this.#invalidations.renew(url, key, response.requestedAt);
    await this.#safely(() => this.#store.set(key, [response, ...kept].slice(0, VARIANTS_MAX)));
  }

  /** Forgets what there is for a key. */
  async forget(key: string): Promise<void> {
    await this.#safely(() => this.#store.delete(key));
  }

  /** A URL was changed: what is kept for it, and what is on its way, is not used any more. */
  async invalidate(request: ClientRequest, url: string): Promise<void> {
    this.#invalidations.add(url);
    const keys = new Set([anonymousKey(url), cacheKey(request.with({ url }))]);
    for (const key of keys) await this.forget(key);
  }

  /** A store that fails is as good as none. */
  async #safely<T>(action: () => T | PromiseLike<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      this.#onError(error);
      return undefined;
    }
  }
}
