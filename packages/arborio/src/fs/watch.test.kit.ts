/** What tests of watching share. */
import { failAfter } from "../index.ts";
import { appendFile, type DirectoryWatch, writeFile } from "../fs.ts";
import { change } from "./files.test.kit.ts";

/** Milliseconds after which a change that has not been told is lost. Long, for a busy machine. */
const TOLD_MS_MAX = 20_000;

/** What happens to files, in a few letters each. */
export const act: {
  write(path: string, text?: string): Promise<unknown>;
  append(path: string, text?: string): Promise<unknown>;
  directory(path: string, mode?: number): Promise<void>;
  link(path: string, target: string): Promise<void>;
  hardLink(path: string, target: string): Promise<void>;
  rename(path: string, target: string): Promise<void>;
  remove(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  mode(path: string, mode: number): Promise<void>;
} = {
  write: (path, text = "") => writeFile(path, text),
  append: (path, text = "more") => appendFile(path, text),
  directory: (path, mode = 0o755) => change({ kind: "make-directory", path, mode }),
  link: (path, target) => change({ kind: "symbolic-link", path, target }),
  hardLink: (path, target) => change({ kind: "hard-link", path, target }),
  rename: (path, target) => change({ kind: "rename", path, target }),
  remove: (path) => change({ kind: "remove-file", path }),
  removeDirectory: (path) => change({ kind: "remove-directory", path }),
  mode: (path, mode) => change({ kind: "mode", path, mode }),
};

let ends = 0;

/**
 * What a watch tells until it tells of a file that is made now, at its end: `"created /a file"`, without the folder. What happened
 * before is told before, if the system hints at things in their order.
 */
export async function toldUntilNow(
  watch: DirectoryWatch,
  folder: string = watch.path,
): Promise<string[]> {
  const end = `${folder}/end ${++ends}`;
  await act.write(end);
  const changes: string[] = [];
  await failAfter(TOLD_MS_MAX, async () => {
    for (;;) {
      let isEnd = false;
      for (const { kind, path, fileKind } of await watch.receiveAll()) {
        if (path === end) isEnd = true;
        else changes.push(`${kind} ${path.slice(watch.path.length)} ${fileKind}`);
      }
      if (isEnd) break;
    }
  });
  await act.remove(end);
  return changes.filter((one) => !one.includes("/end "));
}

/** Receives until `isEnough` says so of all that came. */
export async function toldUntil(
  watch: DirectoryWatch,
  isEnough: (changes: readonly string[]) => boolean,
): Promise<string[]> {
  const changes: string[] = [];
  await failAfter(TOLD_MS_MAX, async () => {
    while (!isEnough(changes)) {
      const { kind, path, fileKind } = await watch.receive();
      changes.push(`${kind} ${path.slice(watch.path.length)} ${fileKind}`);
    }
  });
  return changes;
}
