/** The files of whatever a test runs on, with a part missing, or with somebody else at work. */
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import type { Files, PathChange } from "../platform/files.ts";
import type { Completion, Withdraw } from "../platform/network.ts";
import { unhindered } from "./unhindered.ts";

/** Runs a test on other files than its backend's. */
export function onFiles(change: (files: Files) => Files, body: () => Promise<void>): Promise<void> {
  const backend = currentBackend();
  const files = change(requireCapability(backend, "files", "onFiles"));
  return unhindered({ ...backend, files }, body);
}

/** Files of a system that cannot open directories. */
export function withoutOpenDirectories(files: Files): Files {
  return { ...intruded(files, () => []), openDirectory: undefined };
}

/** Somebody who does something before each operation that names something; operations are counted from 0. */
export type Intruder = (operation: number, about: string) => readonly PathChange[];

/** Files on which somebody else is at work too. After what he cannot do he does nothing more at once. */
export function intruded(files: Files, intruder: Intruder): Files {
  let operation = 0;
  const after = <T>(about: string, begin: () => Withdraw, completion: Completion<T>): Withdraw => {
    const deeds = [...intruder(operation++, about)];
    let withdraw: Withdraw = () => {};
    const next = (): void => {
      const deed = deeds.shift();
      if (deed !== undefined) {
        const fail = (): void => {
          deeds.length = 0;
          next();
        };
        files.change(deed, { succeed: next, fail });
        return;
      }
      try {
        withdraw = begin();
      } catch (error) {
        completion.fail(error as Error);
      }
    };
    next();
    return () => withdraw();
  };
  return {
    temporaryDirectory: files.temporaryDirectory,
    open: (target, done) => after(`open ${target.path}`, () => files.open(target, done), done),
    stat: (path, follow, done) => after(`stat ${path}`, () => files.stat(path, follow, done), done),
    realPath: (path, done) => files.realPath(path, done),
    readLink: (path, done) => files.readLink(path, done),
    readDirectory: (path, done) =>
      after(`read ${path}`, () => files.readDirectory(path, done), done),
    openDirectory:
      files.openDirectory === undefined
        ? undefined
        : (path, done) => {
            const open = (): Withdraw => files.openDirectory?.(path, done) ?? (() => {});
            return after(`enter ${path}`, open, done);
          },
    change: (wanted, done) =>
      after(`${wanted.kind} ${wanted.path}`, () => files.change(wanted, done), done),
    watch: (path, told, done) => files.watch(path, told, done),
  };
}
