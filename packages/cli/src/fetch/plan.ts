import { UsageError } from "../command-error.ts";
import type { Disk } from "./disk.ts";
import { type Checksum, parseChecksumList } from "./checksum.ts";
import type { FetchFilesOptions } from "./fetch-options.ts";
import { fileNamesOf } from "./file-name.ts";
import { collectText, parseUrlList } from "./url-list.ts";

/** One download that was asked for. */
export interface Job {
  readonly url: URL;
  /** What it is called before people. */
  readonly name: string;
  /** Of its file; `null`: standard output. */
  readonly path: string | null;
  readonly checksum: Checksum | null;
}

/** The downloads, in the order of the command line, then of the list. @throws UsageError if a list is of no use. */
export async function planJobs(
  options: FetchFilesOptions,
  disk: Disk,
  openInput: () => AsyncIterable<Uint8Array>,
): Promise<Job[]> {
  const { output, directory, checksum = null } = options;
  const urls = [...options.urls, ...(await readUrls(options, disk, openInput))];
  const names = output === undefined ? fileNamesOf(urls) : [output];
  const listed = await readChecksums(options, disk);
  return urls.map((url, index) => {
    const name = names[index] as string;
    return {
      url,
      name,
      path: name === "-" ? null : disk.pathOf(directory, name),
      checksum: checksum ?? listed(name),
    };
  });
}

async function readUrls(
  { inputFile: path }: FetchFilesOptions,
  disk: Disk,
  openInput: () => AsyncIterable<Uint8Array>,
): Promise<URL[]> {
  if (path === undefined) return [];
  const where = `--input-file: ${path}`;
  const text = path === "-" ? await collectText(where, openInput()) : await disk.readText(path);
  if (text === null) throw new UsageError(`${where}: there is no such file`);
  return parseUrlList(where, text);
}

async function readChecksums(
  { checksums: path }: FetchFilesOptions,
  disk: Disk,
): Promise<(name: string) => Checksum | null> {
  if (path === undefined) return () => null;
  const text = await disk.readText(path);
  if (text === null) throw new UsageError(`--checksums: ${path}: there is no such file`);
  const listed = parsed(path, text);
  return (name) => {
    // A list has names as `parseChecksumList` leaves them: without folders.
    const found = listed.get(name.slice(name.lastIndexOf("/") + 1));
    // Whoever gives a list wants everything checked.
    if (found === undefined) throw new UsageError(`--checksums: ${path} has none for ${name}`);
    return found;
  };
}

function parsed(path: string, text: string): Map<string, Checksum> {
  try {
    return parseChecksumList(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`--checksums: ${path}: ${error.message}`);
  }
}

/** A URL as it may be shown and kept: without credentials. */
export function publicUrl(url: URL): string {
  const copy = new URL(url);
  copy.username = "";
  copy.password = "";
  copy.hash = "";
  return copy.href;
}
