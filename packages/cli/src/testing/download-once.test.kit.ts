/** Downloads in the simulator: from a fake origin to a disk in memory. */
import { test } from "node:test";
import { run } from "arborio";
import { simulator } from "arborio/sim";
import { download, type DownloadOptions } from "../fetch/download.ts";
import { DownloadProgress } from "../fetch/download-progress.ts";
import { openFileTarget } from "../fetch/file-target.ts";
import { ask, Broken, type Origin } from "./fake-origin.test.kit.ts";
import type { MemoryDisk } from "./memory-disk.test.kit.ts";

export const URL_OF_IT: string = "http://h/a";

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : new TextDecoder().decode(bytes);
}

export const LONG: string = "0123456789".repeat(10);

export interface Given extends Partial<Pick<DownloadOptions, "retries" | "checksum">> {
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly url?: string;
  /** Called before each request, with its number from 1 on. */
  readonly before?: (request: number, fields: Readonly<Record<string, string>>) => void;
}

/** Downloads once; the requests that it took. */
export async function fetchOnce(
  disk: MemoryDisk,
  origin: Origin,
  given: Given = {},
): Promise<{ requests: Readonly<Record<string, string>>[]; progress: DownloadProgress }> {
  const requests: Readonly<Record<string, string>>[] = [];
  const { url = URL_OF_IT, retries = 3, checksum = null } = given;
  const { resume = true, overwrite = false } = given;
  const progress = new DownloadProgress({ name: "a", url, path: "a" }, () => {});
  const target = await openFileTarget(disk, { path: "a", url, resume, overwrite });
  const options: DownloadOptions = {
    url,
    checksum,
    retries,
    ask: (_, fields) => {
      requests.push(fields);
      given.before?.(requests.length, fields);
      return ask(origin, fields);
    },
    mayPass: (error) => error instanceof Broken,
    reasonOf: (error) => error.message,
  };
  await download(options, target, progress);
  return { requests, progress };
}

/** A test in the simulator. */
export function simulated(title: string, body: () => Promise<void>): void {
  test(title, () => run(body, { backend: simulator() }));
}
