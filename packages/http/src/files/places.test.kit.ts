/** The same tests over files of the host, and of the simulator. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { moveOnAfter, run, sleep } from "arborio";
import { simulate } from "arborio/sim";

/** Where a test makes its files. */
export interface Place {
  /** A folder, with nothing in it and a path without links. */
  readonly folder: string;
  /** Makes a file, at a path below the folder, and the directories above it. */
  write(path: string, contents: string | Uint8Array): void;
  link(path: string, target: string): void;
  remove(path: string): void;
  /** Number of files in the folder that are open. */
  openFiles(): number;
}

/** Runs a test on the host and on the simulator; each ends with no file open. */
export function testEverywhere(title: string, body: (place: Place) => Promise<void>): void {
  test(`${title} [host]`, async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "arborio-http-files-")));
    try {
      await run(() => bodyWithout(hostPlace(folder), body), { signals: [] });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  for (const seed of [1, 2]) {
    test(`${title} [simulator, seed ${seed}]`, async () => {
      await simulate({ seed }, async (world) => {
        const { localhost } = world;
        await bodyWithout(
          {
            folder: "/srv",
            write: (path, contents) => localhost.files.write(`/srv/${path}`, contents),
            link: (path, target) => localhost.files.link(`/srv/${path}`, target),
            remove: (path) => void localhost.files.remove(`/srv/${path}`),
            openFiles: () => localhost.openFiles,
          },
          body,
        );
      });
    });
  }
}

async function bodyWithout(place: Place, body: (place: Place) => Promise<void>): Promise<void> {
  await body(place);
  await assertOpen(place, 0);
}

/** That so many files are open, or are so at once: Deno may double a descriptor for a read, and gives it back a little later. */
export async function assertOpen(place: Place, count: number): Promise<void> {
  await moveOnAfter(1000, async () => {
    while (place.openFiles() !== count) await sleep(1);
  });
  assert.equal(place.openFiles(), count, "so many files are open");
}

function hostPlace(folder: string): Place {
  return {
    folder,
    write(path, contents) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), contents);
    },
    link(path, target) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      symlinkSync(target, join(folder, path));
    },
    remove: (path) => rmSync(join(folder, path), { recursive: true }),
    openFiles: () => descriptorsBelow(folder),
  };
}

/** How many descriptors of this process lead to files below a folder; 0 where the system does not tell. */
function descriptorsBelow(folder: string): number {
  const own = "/proc/self/fd";
  if (!existsSync(own)) return 0;
  return readdirSync(own).filter((descriptor) => {
    try {
      return readlinkSync(`${own}/${descriptor}`).startsWith(`${folder}/`);
    } catch {
      return false;
    }
  }).length;
}

/** A request as a handler sees it, with fields that not every runtime lets one set on its own. */
export function request(
  path: string,
  headers: Record<string, string> = {},
  method: string = "GET",
): Request {
  const url = new URL(path, "http://localhost").href;
  return { method, url, headers: new Headers(headers) } as unknown as Request;
}

/** Bytes that tell where in the file they are. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255);
}
