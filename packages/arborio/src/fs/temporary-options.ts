import { describeValue, requireKnown, requireOptions } from "../core/arguments.ts";
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import { Path } from "./path.ts";
import { randomName } from "./random-name.ts";
import type { PathLike } from "./system-path.ts";

/** Options of `openTemporaryDirectory`. */
export interface TemporaryDirectoryOptions {
  /** What the name begins with. Default `"arborio-"`. */
  readonly prefix?: string;
  /** The directory that it is made in, which must be there. Default: where the system has such files, `$TMPDIR` or `/tmp`. */
  readonly parent?: PathLike;
}

/** Options of `openTemporaryFile`. */
export interface TemporaryFileOptions extends TemporaryDirectoryOptions {
  /** What the name ends with: `".json"`. Default: nothing. */
  readonly suffix?: string;
}

const NAMES = { prefix: true, parent: true } as const;

/** A path that nobody can guess, by the options. */
export function temporaryPath(where: string, options: TemporaryFileOptions): Path {
  const isFile = where === "openTemporaryFile";
  requireOptions(`${where}(options)`, options, '{ prefix: "app-" }');
  requireKnown(where, options, isFile ? { ...NAMES, suffix: true } : NAMES);
  const { prefix = "arborio-", suffix = "", parent } = options;
  requirePart(`${where}({ prefix })`, prefix);
  requirePart(`${where}({ suffix })`, suffix);
  const directory =
    parent ?? requireCapability(currentBackend(), "files", where).temporaryDirectory;
  return new Path(directory, randomName(prefix) + suffix);
}

function requirePart(where: string, part: unknown): void {
  if (typeof part !== "string")
    throw new TypeError(`${where}: got ${describeValue(part)}, needs a string`);
  if (/[/\0]/.test(part))
    throw new RangeError(
      `${where}: got ${describeValue(part)}, needs a part of a name, without "/"`,
    );
}
