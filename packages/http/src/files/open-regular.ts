import { type File, type FileStat, openFile, stat } from "arborio/fs";
import { type Refusal, refusalOrThrow } from "./refused-file.ts";

/** A regular file that is open, with what is known of that very file. */
export interface RegularFile {
  readonly file: File;
  readonly stat: FileStat;
}

/** Options of `openRegular`. */
export interface OpenRegularOptions {
  /** The path is to lead there without links: one that it gets meanwhile, or has in its last part, is a refusal. */
  readonly withoutLinks: boolean;
  /** What is known of it, by an earlier `stat` of the path. Default: it is asked for. */
  readonly known?: FileStat;
}

/** A file may be replaced by another while it is opened, as deployments do; so often in a row it is no accident. */
const ATTEMPTS_MAX = 4;

/**
 * Opens a regular file, or tells why it is not to be given. What is known of it was asked of the open file, so it holds for what is
 * read, whatever becomes of the path.
 *
 * Nothing but a regular file is ever opened: opening a FIFO or a device has effects on whoever has its other side. What the
 * path led to before and what was opened are compared, and the open file is asked where it is, so that nothing is slipped in between.
 *
 * @throws SystemError for what is the server's trouble, such as no more descriptors.
 */
export async function openRegular(
  path: string,
  { withoutLinks, known }: OpenRegularOptions,
): Promise<RegularFile | Refusal> {
  try {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const before: FileStat = attempt === 1 && known !== undefined ? known : await stat(path);
      if (before.kind === "directory") return 404;
      if (before.kind !== "file") return 403;
      const opened = await openSame(path, before, withoutLinks);
      if (opened !== null) return opened;
    }
    return 404;
  } catch (error) {
    return refusalOrThrow(error);
  }
}

/** Opens it if it is still the same file, and no link leads to it that must not. */
async function openSame(
  path: string,
  before: FileStat,
  withoutLinks: boolean,
): Promise<RegularFile | null> {
  const file = await openFile(path);
  try {
    const now = await file.stat();
    const isSame =
      now.kind === "file" && now.inode === before.inode && now.device === before.device;
    if (isSame && (!withoutLinks || (await file.realPath()) === path)) return { file, stat: now };
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  return null;
}
