import { requireFunction, requireOptions } from "../../core/arguments.ts";
import { currentBackend } from "../../platform/capabilities.ts";
import { failAfter } from "../../sync/timeouts.ts";
import type { BackendTest, EveryBackendOptions } from "../every-backend.ts";
import { cancelling } from "./cancelling.ts";
import { ending } from "./ending.ts";
import type { ByteStreamCheck, ByteStreamPair, ByteStreamPromise } from "./suite.ts";
import { transfer } from "./transfer.ts";

export type { ByteStreamPair, ByteStreamPromise } from "./suite.ts";

/** Options of `byteStreamConformance`. */
export interface ByteStreamConformanceOptions {
  /** What kind of stream this is, for the titles. */
  readonly name: string;
  /** Makes two ends that are connected to one another, anew for each test. Both are closed when the test has ended. */
  readonly makePair: () => Promise<ByteStreamPair> | ByteStreamPair;
  /** Called when a test has ended and both ends are closed: for what `makePair` made beside them. */
  readonly after?: () => unknown;
  /** What this kind of stream cannot do by nature, and why. A gap that starts passing fails. Default `{}`. */
  readonly gaps?: Partial<Record<ByteStreamPromise, string>>;
  /**
   * More bytes than all buffers between the two ends take. Default 16 MiB, more than a system gives a socket; 1 MiB in the
   * simulator.
   */
  readonly bufferedBytesMax?: number;
  /** Passed to each test. */
  readonly test?: EveryBackendOptions;
}

/** Time for one check; each takes a few milliseconds. */
const CHECK_MS_MAX = 20_000;
/** Time for a check that is not expected to pass. */
const GAP_MS_MAX = 1_000;
const BUFFERED_BYTES_MAX = 16 * 1024 * 1024;
/** A simulated socket has 128 KiB of buffers, and moves a few bytes a step. */
const SIMULATED_BYTES_MAX = 1024 * 1024;

const checks: readonly ByteStreamCheck[] = [...transfer, ...ending, ...cancelling];

/**
 * The promises of a `ByteStream`, as tests for any stream, any backend and any test runner. Each stream of the library passes
 * them. Counterpart: `trio.testing.check_two_way_stream`.
 *
 * @param test what `onEveryBackend` returns.
 *
 * @example For a stream of one's own
 * ```ts
 * import { byteStreamConformance, onEveryBackend } from "arborio/testing";
 * import { createMemoryStreamPair } from "arborio/streams";
 *
 * // Stands for the runner's own: `import runnerTest from "node:test"`, or `bun:test`'s, `Deno.test`, vitest's.
 * const titles: string[] = [];
 * const runnerTest = (title: string, _body: () => Promise<void>) => titles.push(title);
 *
 * byteStreamConformance(onEveryBackend(runnerTest), {
 *   name: "memory",
 *   makePair: () => createMemoryStreamPair(),
 * });
 * console.assert(titles.length > 0);
 * ```
 */
export function byteStreamConformance(
  test: BackendTest,
  options: ByteStreamConformanceOptions,
): void {
  requireFunction("byteStreamConformance", test);
  requireOptions("byteStreamConformance", options, '{ name: "memory", makePair: () => [a, b] }');
  const { name, gaps = {} } = options;
  for (const check of checks) {
    const gap = gaps[check.promise];
    const title = `${name}: ${check.title}`;
    if (gap === undefined) test(title, () => runCheck(check, options, CHECK_MS_MAX), options.test);
  }
  for (const [promise, reason] of Object.entries(gaps)) {
    const gapChecks = checks.filter((check) => check.promise === promise);
    test(
      `${name}: a gap, ${promise}: ${reason}`,
      () => expectFailure(gapChecks, options),
      options.test,
    );
  }
}

async function runCheck(
  check: ByteStreamCheck,
  options: ByteStreamConformanceOptions,
  limitMs: number,
): Promise<void> {
  const isSimulated = currentBackend().scheduler !== undefined;
  const { bufferedBytesMax = isSimulated ? SIMULATED_BYTES_MAX : BUFFERED_BYTES_MAX } = options;
  const pair = await options.makePair();
  try {
    await failAfter(limitMs, () => check.body(pair, { bufferedBytesMax }));
  } finally {
    for (const stream of pair) stream.close();
    await options.after?.();
  }
}

/** At least one check of a promise that is said not to be kept must fail. */
async function expectFailure(
  gapChecks: readonly ByteStreamCheck[],
  options: ByteStreamConformanceOptions,
): Promise<void> {
  for (const check of gapChecks) {
    try {
      await runCheck(check, options, GAP_MS_MAX);
    } catch {
      return;
    }
  }
  throw new Error("this gap is closed: all its checks pass; take it out of the gaps");
}
