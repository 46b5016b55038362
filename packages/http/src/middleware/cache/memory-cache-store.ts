import { requireCount, requireKnown } from "../../client/require-option.ts";
import type { CachedResponses, CacheStore } from "./cache-store.ts";

/** Options of `createMemoryCacheStore`. */
export interface MemoryCacheStoreOptions {
  /** URLs at most. Default 1,000. */
  readonly entriesMax?: number;
  /** Bytes at most, of bodies, fields and keys together. Default 67,108,864 (64 MiB). */
  readonly bytesMax?: number;
}

/** What a memory store has. */
export interface MemoryCacheStatistics {
  /** Number of URLs. */
  readonly entries: number;
  /** Bytes of bodies, fields and keys. */
  readonly bytes: number;
}

/** A store in memory, with what all stores have not. */
export interface MemoryCacheStore extends CacheStore {
  /** Forgets everything. */
  clear(): void;
  /** A frozen snapshot. */
  statistics(): MemoryCacheStatistics;
}

const ENTRIES_MAX = 1000;
const BYTES_MAX = 67_108_864;

/** What one response costs beside its content, in bytes: objects and their places in maps. */
const OVERHEAD_BYTES = 512;

const NAMES: Readonly<Record<keyof MemoryCacheStoreOptions, true>> = {
  entriesMax: true,
  bytesMax: true,
};

interface Entry {
  readonly responses: CachedResponses;
  readonly bytes: number;
}

/**
 * A store for `httpCache` in the memory of this process. What was not used for longest is forgotten first, when there is more than is to be kept.
 *
 * @throws TypeError, RangeError for wrong options.
 *
 * @example One that is looked at, and cleared
 * ```ts
 * import { createMemoryCacheStore, httpCache, openHttpClient } from "@arborio/http";
 * import { run } from "arborio";
 *
 * await run(async () => {
 *   const store = createMemoryCacheStore({ bytesMax: 1_000_000 });
 *   await using client = openHttpClient({ middleware: [httpCache({ store })] });
 *   console.assert(store.statistics().entries === 0);
 *   store.clear();
 * });
 * ```
 */
export function createMemoryCacheStore(options: MemoryCacheStoreOptions = {}): MemoryCacheStore {
  requireKnown("createMemoryCacheStore", options, NAMES);
  const { entriesMax = ENTRIES_MAX, bytesMax = BYTES_MAX } = options;
  requireCount("createMemoryCacheStore({ entriesMax })", entriesMax, 0);
  requireCount("createMemoryCacheStore({ bytesMax })", bytesMax, 0);
  /** The one used last is the last. */
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const forget = (key: string): void => {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.responses;
    },
    set(key, responses) {
      forget(key);
      const entry = { responses, bytes: bytesOf(key, responses) };
      if (entry.bytes > bytesMax) return;
      entries.set(key, entry);
      bytes += entry.bytes;
      for (const oldest of entries.keys()) {
        if (bytes <= bytesMax && entries.size <= entriesMax) break;
        forget(oldest);
      }
    },
    delete: forget,
    clear() {
      entries.clear();
      bytes = 0;
    },
    statistics: () => Object.freeze({ entries: entries.size, bytes }),
  };
}

function bytesOf(key: string, responses: CachedResponses): number {
  let bytes = 2 * key.length;
  for (const { bytes: body, fields, vary } of responses) {
    bytes += OVERHEAD_BYTES + body.length;
    for (const text of [...fields, ...vary]) bytes += text.length;
  }
  return bytes;
}
