import { RequestFailedError } from "@arborio/http";
import { ArborioError, InterruptedError, now, sleep, taskGroup, type TaskGroup } from "arborio";
import { standardInput, standardOutput } from "arborio/process";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-codes.ts";
import { type Disk, disk } from "./disk.ts";
import type { OutputName, Shell } from "../host/shell.ts";
import { runOnThisMachine } from "../run/run-on-this-machine.ts";
import { BarsDisplay } from "./bars-display.ts";
import { checksumOf } from "./checksum.ts";
import type { Display } from "./display.ts";
import { type Ask, download } from "./download.ts";
import { DownloadProgress } from "./download-progress.ts";
import { DownloadQueue } from "./download-queue.ts";
import type { FetchFilesOptions } from "./fetch-options.ts";
import { openFileTarget } from "./file-target.ts";
import { httpAsk, mayPass, openClient, reasonOf } from "./http-ask.ts";
import { JsonDisplay } from "./json-display.ts";
import { LinesDisplay } from "./lines-display.ts";
import { OutputTarget } from "./output-target.ts";
import { type Job, planJobs, publicUrl } from "./plan.ts";
import type { Target } from "./target.ts";

/**
 * Downloads files.
 *
 * @returns the exit code: 1 if one of them failed.
 * @throws UsageError for a list that is of no use; InterruptedError after a signal: what is there can be completed later.
 */
export async function fetchFiles(options: FetchFilesOptions, shell: Shell): Promise<number> {
  const jobs = await planJobs(options, disk, standardInput);
  const display = await createDisplay(options, jobs, shell);
  const items = jobs.map((job): Item => {
    const { name, path, url } = job;
    const changed = (progress: DownloadProgress): void => display.changed(progress);
    return { job, progress: new DownloadProgress({ name, path, url: publicUrl(url) }, changed) };
  });
  const all = items.map(({ progress }) => progress);
  try {
    await runOnThisMachine(shell, { name: "fetch" }, async () => {
      await using client = await openClient(options, shell);
      await fetchAll(items, { options, shell, display, disk, ask: httpAsk(client) });
    });
  } catch (error) {
    display.end(all);
    if (error instanceof InterruptedError && jobs.some(({ path }) => path !== null))
      shell.warn("arborio: interrupted; the same command goes on where this one has ended");
    throw error;
  }
  display.end(all);
  return all.some(({ phase }) => phase === "failed") ? EXIT.failed : EXIT.ok;
}

interface Item {
  readonly job: Job;
  readonly progress: DownloadProgress;
}

interface Surroundings {
  readonly options: FetchFilesOptions;
  readonly shell: Shell;
  readonly display: Display;
  readonly disk: Disk;
  readonly ask: Ask;
}

/** Downloads all of them, as many at a time as may be. */
async function fetchAll(items: readonly Item[], around: Surroundings): Promise<void> {
  const { concurrency, limitPerHost } = around.options;
  const queue = new DownloadQueue(items, {
    hostOf: ({ job }) => job.url.host,
    concurrency,
    limitPerHost,
  });
  await taskGroup(async (group) => {
    group.startSoon(() => tickOn(around.display), { daemon: true, name: "display" });
    startThoseThatMay(group, queue, around);
  });
}

function startThoseThatMay(
  group: TaskGroup,
  queue: DownloadQueue<Item>,
  around: Surroundings,
): void {
  for (let next = queue.take(); next !== undefined; next = queue.take()) {
    const { item, release } = next;
    group.startSoon(
      async () => {
        await fetchOne(item, around);
        release();
        startThoseThatMay(group, queue, around);
      },
      { name: item.job.name },
    );
  }
}

async function tickOn(display: Display): Promise<void> {
  for (;;) {
    await sleep(display.tickMs);
    display.tick(now());
  }
}

/** One download; that it fails is a result. */
async function fetchOne({ job, progress }: Item, around: Surroundings): Promise<void> {
  try {
    if (await isThere(job, around)) {
      progress.ended("existing", now());
      return;
    }
    const target = await openTarget(job, around);
    const { options, ask } = around;
    const { url, checksum } = job;
    await download(
      { url: url.href, checksum, retries: options.retries, ask, mayPass, reasonOf },
      target,
      progress,
    );
    progress.ended("done", now());
  } catch (error) {
    const isOurs = error instanceof CommandError || error instanceof ArborioError;
    if (!isOurs && !(error instanceof RequestFailedError)) throw error;
    progress.ended("failed", now(), reasonOf(error));
  }
}

/** Whether there is nothing to do. @throws CommandError if what is there is something else than what is wanted. */
async function isThere(
  { path, checksum }: Job,
  { options, disk: files }: Surroundings,
): Promise<boolean> {
  if (path === null || options.overwrite || !(await files.exists(path))) return false;
  if (checksum === null) return true;
  const { hex } = await checksumOf(checksum.algorithm, files.read(path));
  if (hex === checksum.hex) return true;
  throw new CommandError(
    `is there already, but its ${checksum.algorithm} checksum is ${hex}, and should be ${checksum.hex}; --overwrite replaces it`,
  );
}

async function openTarget({ path, url, checksum }: Job, around: Surroundings): Promise<Target> {
  const { options, shell, disk: files } = around;
  if (path === null)
    return new OutputTarget(standardOutput(), checksum, (cause) => shell.loseOutput(cause));
  const { resume, overwrite } = options;
  return await openFileTarget(files, { path, url: publicUrl(url), resume, overwrite });
}

async function createDisplay(
  { json }: FetchFilesOptions,
  jobs: readonly Job[],
  shell: Shell,
): Promise<Display> {
  // Where the file itself goes to standard output, nothing else does.
  const stream: OutputName = jobs.some(({ path }) => path === null) ? "error" : "output";
  if (json) return new JsonDisplay((line) => shell.write(line, stream));
  if (shell.isTerminal(stream)) {
    const area = await shell.openLiveArea(stream);
    return new BarsDisplay(area, (style, text) => shell.paint(style, text, stream), now);
  }
  return new LinesDisplay({
    say: (line) => shell.write(`${line}\n`, stream),
    warn: (line) => shell.warn(line),
  });
}
