/** What tests of trees share: how to make one, and how to write down what is there. */
import type { Path, PathEntries, WalkOptions } from "../fs.ts";

/** Makes files, directories (`"a/"`) and links (`"a -> b"`). */
export async function plant(root: Path, ...things: readonly string[]): Promise<void> {
  for (const thing of things) {
    const [name = "", target] = thing.split(" -> ");
    const path = root.join(name);
    await path.parent.makeDirectory({ parents: true, existOk: true });
    if (target !== undefined) await path.makeLink(target);
    else if (name.endsWith("/")) await path.makeDirectory({ existOk: true });
    else await path.write("");
  }
}

/** What a walk finds: paths seen from the root, with a mark for all but files. */
export async function list(root: Path, entries: PathEntries): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, kind } of entries)
    found.push(
      path.relativeTo(root).text + { file: "", directory: "/", link: "@", other: "?" }[kind],
    );
  return found;
}

/** What a walk finds, as `list` tells it. */
export const walked = (root: Path, options?: WalkOptions): Promise<string[]> =>
  list(root, root.walk(options));
