import type { DirectoryHandle, Files } from "../../platform/files.ts";
import { lazily } from "./builtin.ts";
import { pathLinkOf } from "./descriptor-path.ts";
import { beginOperation } from "./node-operation.ts";
import { toSystemError } from "./system-error.ts";

const fs = lazily("node:fs");

/** `O_PATH` of Linux, which no runtime names: a descriptor that only stands for a place. */
const O_PATH = 0o10000000;

/** `Files.openDirectory`, where the system tells paths of descriptors: they lead on to what is in a directory. */
export const openDirectory: NonNullable<Files["openDirectory"]> = (path, completion) => {
  const { O_DIRECTORY, O_NOFOLLOW } = fs().constants;
  return beginOperation<number>(
    (done) => fs().open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW, done),
    {
      succeed: (descriptor) => completion.succeed(new NodeDirectory(descriptor)),
      fail: (error) => completion.fail(toSystemError(`open ${path}`, error)),
    },
    (descriptor) => fs().closeSync(descriptor),
  );
};

class NodeDirectory implements DirectoryHandle {
  readonly path: string;
  #descriptor: number | null;

  constructor(descriptor: number) {
    this.path = pathLinkOf(descriptor) as string;
    this.#descriptor = descriptor;
  }

  close(): void {
    if (this.#descriptor !== null) fs().closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
