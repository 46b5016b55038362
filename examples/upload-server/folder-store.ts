import { shielded } from "arborio";
import { openFile, Path } from "arborio/fs";
import { safeName, type Store } from "./store.ts";

/** A store in a folder. A file appears under its name when it is whole; until then it is one of `.part`, which is kept or discarded whatever is cancelled. */
export function folderStore(folder: string): Store {
  const directory = new Path(folder);
  return {
    async create(wish) {
      await directory.makeDirectory({ parents: true, existOk: true });
      const id = crypto.randomUUID();
      // Two may have the same name, and none shall replace another.
      const name = `${id.slice(0, 8)}-${safeName(wish)}`;
      const part = directory.join(`${id}.part`);
      const file = await openFile(part, { flags: "wx" });
      return {
        name,
        write: async (bytes) => void (await file.write(bytes)),
        keep: () =>
          shielded(async () => {
            await file[Symbol.asyncDispose]();
            await part.rename(directory.join(name));
          }),
        discard: () =>
          shielded(async () => {
            file.close();
            await part.remove({ missingOk: true });
          }),
      };
    },
  };
}
