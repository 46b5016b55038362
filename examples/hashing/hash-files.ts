import { CapacityLimiter, mapConcurrent, SystemError } from "arborio";
import { Path } from "arborio/fs";
import { BrokenWorkerError, moduleAt, runInThread } from "arborio/threads";
import type * as hashWork from "./hash-work.ts";
import type { Progress } from "./progress.ts";

/** Compiled, it ends as this one does. */
const WORK = `./hash-work.${import.meta.url.endsWith(".js") ? "js" : "ts"}`;
const work = moduleAt<typeof hashWork>(new URL(WORK, import.meta.url));

/** How files are hashed, and who wants to know. */
export interface HashOptions {
  /** So many at once. */
  readonly threads: number;
  readonly progress: Progress;
  /** Gets each digest as soon as it is there. It may make the work wait. */
  readonly emit: (path: string, digest: string) => Promise<void>;
  /** Gets what could not be read, and why; the others are hashed nevertheless. */
  readonly refused: (path: string, reason: string) => void;
}

/** Hashes files, and all files in directories, in threads. In which order they are done, nobody knows. */
export async function hashFiles(
  paths: readonly string[],
  { threads, progress, emit, refused }: HashOptions,
): Promise<void> {
  const limiter = new CapacityLimiter(threads);
  const callbacks = { hashed: (bytes: number) => progress.hashed(bytes) };
  await mapConcurrent(
    filesIn(paths, refused),
    async (path) => {
      try {
        const options = { args: [path], limiter, callbacks } as const;
        const { digest, bytes } = await runInThread(work, "hashFile", options);
        progress.hashed(bytes);
        progress.fileDone();
        await emit(path, digest);
      } catch (error) {
        if (!(error instanceof SystemError || error instanceof BrokenWorkerError)) throw error;
        refused(path, error.message);
      }
    },
    { concurrency: threads },
  );
}

/** The files; a directory stands for all below it, without what its links lead to. Read only as far as there is somebody to hash. */
async function* filesIn(
  paths: readonly string[],
  refused: HashOptions["refused"],
): AsyncGenerator<string, void, undefined> {
  for (const path of paths) {
    const start = new Path(path);
    let kind: string;
    try {
      ({ kind } = await start.stat());
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      refused(path, error.message);
      continue;
    }
    if (kind === "file") yield path;
    else if (kind !== "directory") refused(path, "it is no file");
    else {
      const onError = (error: SystemError, below: Path): void =>
        refused(String(below), error.message);
      for await (const entry of start.walk({ onError }))
        if (entry.kind === "file") yield String(entry.path);
    }
  }
}
