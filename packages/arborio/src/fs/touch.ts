import { requireFlag, requireKnown, requireOptions } from "../core/arguments.ts";
import { wallNow } from "../sync/timeouts.ts";
import { changePath } from "./change-path.ts";
import { requireMode } from "./mode.ts";
import { openFile } from "./open-file.ts";
import type { Path } from "./path.ts";
import { hasSystemCode } from "./system-code.ts";

/** Options of `Path.touch`. */
export interface TouchOptions {
  /** Whether it is all right if something is there already; its times become those of now. Default `true`. */
  readonly existOk?: boolean;
  /** Permission bits of a file that is made, from which the system takes those of the process's umask. Default `0o666`. */
  readonly mode?: number;
}

const WHERE = "Path.touch";

/** `Path.touch`. */
export async function touch(path: Path, options: TouchOptions): Promise<void> {
  requireOptions(`${WHERE}(options)`, options, "{ existOk: false }");
  requireKnown(WHERE, options, { existOk: true, mode: true });
  const { existOk = true, mode = 0o666 } = options;
  requireFlag(`${WHERE}({ existOk })`, existOk);
  requireMode(`${WHERE}({ mode })`, mode);
  if (existOk && (await setToNow(path))) return;
  const file = await openFile(path, { flags: existOk ? "a" : "wx", mode });
  file.close();
}

/** Whether something is there. */
async function setToNow({ text }: Path): Promise<boolean> {
  const now = wallNow();
  try {
    await changePath(WHERE, { kind: "times", path: text, accessedMs: now, modifiedMs: now });
    return true;
  } catch (error) {
    if (hasSystemCode(error, "ENOENT")) return false;
    throw error;
  }
}
