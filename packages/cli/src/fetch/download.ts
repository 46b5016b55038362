/** One download: asks, takes what comes, asks for the rest when it breaks off, checks, and finishes. */
import { parseRetryAfter, REASONS } from "@arborio/http/protocol";
import { exponentialBackoff, now, sleep } from "arborio";
import { wallNow } from "arborio/lowlevel";
import { CommandError } from "../command-error.ts";
import type { Checksum } from "./checksum.ts";
import type { DownloadProgress } from "./download-progress.ts";
import { decideRange, rangeFields, type Version } from "./range-plan.ts";
import type { Target } from "./target.ts";

/** What came for a request. */
export interface DownloadResponse extends Pick<Response, "status" | "headers">, Disposable {
  /** The body, as it came. What it throws is a failure of the connection. */
  chunks(): AsyncIterable<Uint8Array>;
}

/** Asks for a URL with these fields. */
export type Ask = (
  url: string,
  fields: Readonly<Record<string, string>>,
) => Promise<DownloadResponse>;

/** What to download, and how. */
export interface DownloadOptions {
  readonly url: string;
  readonly checksum: Checksum | null;
  /** How often it is asked again after failures in a row that brought it no further. */
  readonly retries: number;
  readonly ask: Ask;
  /** Whether an error that `ask`, or a body, threw is one that may be gone the next time. */
  readonly mayPass: (error: unknown) => boolean;
  /** What went wrong, in words. */
  readonly reasonOf: (error: Error) => string;
}

/** After these it may be better the next time (RFC 9110, section 15; RFC 8470; RFC 6585). */
const PASSING_STATUS: readonly number[] = [408, 425, 429, 500, 502, 503, 504];

/** A server that asks for more patience than this, in milliseconds, is told no: whoever waits before a terminal would think it hangs. */
const PATIENCE_MS = 120_000;

/** Before the first retry, and the longest pause, in milliseconds. */
const PAUSE_MS = { initialMs: 500, maxMs: 30_000 };

/**
 * Downloads to a target, which it closes.
 *
 * @throws CommandError if it cannot be had; whatever `ask` throws and does not pass, with what is there kept for another time.
 */
export async function download(
  options: DownloadOptions,
  target: Target,
  progress: DownloadProgress,
): Promise<void> {
  const backoff = exponentialBackoff({ ...PAUSE_MS, jitter: 0.5 });
  try {
    // Not the bytes that came: a server that breaks off at the same place each time, and knows no ranges, sends some for ever.
    let furthestBytes = target.part?.sizeBytes ?? 0;
    for (let failures = 0; ;) {
      const failure = await attempt(options, target, progress);
      if (failure === null) break;
      if (progress.receivedBytes > furthestBytes) failures = 0;
      furthestBytes = Math.max(furthestBytes, progress.receivedBytes);
      failures += 1;
      if (failures > options.retries) throw failure.error;
      const pauseMs = failure.afterMs ?? backoff(failures);
      if (pauseMs > PATIENCE_MS) throw failure.error;
      progress.pausing(options.reasonOf(failure.error));
      await sleep(pauseMs);
    }
    progress.verifying();
    await target.finish(options.checksum);
  } finally {
    await target.close();
  }
}

interface Failure {
  readonly error: Error;
  /** Milliseconds that the server asks for; `null`: it does not say. */
  readonly afterMs: number | null;
}

/** One request, or two if what is there turns out to be of no use. @returns `null` if all is there. */
async function attempt(
  options: DownloadOptions,
  target: Target,
  progress: DownloadProgress,
): Promise<Failure | null> {
  const { part } = target;
  // A run that was killed after the last byte.
  if (part !== null && part.version.validator !== null && isWhole(part.version, part.sizeBytes))
    return null;
  progress.connecting(now());
  try {
    return await request(options, target, progress);
  } catch (error) {
    if (error instanceof CommandError || !options.mayPass(error)) throw error;
    return { error: error as Error, afterMs: null };
  }
}

async function request(
  options: DownloadOptions,
  target: Target,
  progress: DownloadProgress,
): Promise<Failure | null> {
  const { part } = target;
  for (const asked of [part, null]) {
    using response = await options.ask(options.url, rangeFields(asked));
    const decision = decideRange(asked, response);
    switch (decision.kind) {
      case "complete":
        return null;
      case "again":
        continue; // without a range, where this cannot come again
      case "refused":
        return refused(decision.status, response.headers);
      case "append":
        await target.resume(decision.version);
        return await receive(response, decision.version, decision.offsetBytes, target, progress);
      case "whole":
        await target.begin(decision.version);
        return await receive(response, decision.version, 0, target, progress);
    }
  }
  throw new CommandError("the server answers with ranges that do not fit");
}

/** Takes a body. @returns `null` if all of the version is there then. */
async function receive(
  response: DownloadResponse,
  version: Version,
  offsetBytes: number,
  target: Target,
  progress: DownloadProgress,
): Promise<Failure | null> {
  const { totalBytes } = version;
  progress.receiving(offsetBytes, totalBytes, now());
  let sizeBytes = offsetBytes;
  for await (const chunk of response.chunks()) {
    sizeBytes += chunk.length;
    if (totalBytes !== null && sizeBytes > totalBytes)
      throw new CommandError(`the server sent more than the ${totalBytes} bytes that it announced`);
    await target.write(chunk);
    progress.received(chunk.length, now());
  }
  if (totalBytes === null || sizeBytes === totalBytes) return null;
  const error = new CommandError(`it ended after ${sizeBytes} of ${totalBytes} bytes`);
  return { error, afterMs: null };
}

function refused(status: number, headers: Headers): Failure {
  const error = new CommandError(
    `the server answered ${status} ${REASONS[status] ?? ""}`.trimEnd(),
  );
  if (!PASSING_STATUS.includes(status)) throw error;
  return { error, afterMs: parseRetryAfter(headers.get("retry-after") ?? "", wallNow()) };
}

function isWhole({ totalBytes }: Version, sizeBytes: number): boolean {
  return totalBytes === sizeBytes;
}
