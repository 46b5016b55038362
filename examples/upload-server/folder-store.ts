import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { shielded } from "arborio";
import { safeName, type Store, type StoreFile } from "./store.ts";

/**
 * A store in a folder. A file appears under its name when it is whole; until then it is one of `.part`. What the system has been told to
 * do it does, so each step is waited for, whatever is cancelled meanwhile.
 */
export function folderStore(folder: string): Store {
  return {
    create: (wish) =>
      shielded(async (): Promise<StoreFile> => {
        await mkdir(folder, { recursive: true });
        const id = randomUUID();
        // Two may have the same name, and none shall replace another.
        const name = `${id.slice(0, 8)}-${safeName(wish)}`;
        const part = join(folder, `${id}.part`);
        const handle = await open(part, "wx");
        return {
          name,
          write: (bytes) =>
            shielded(async () => {
              for (let at = 0; at < bytes.length;)
                at += (await handle.write(bytes, at)).bytesWritten;
            }),
          keep: () =>
            shielded(async () => {
              await handle.close();
              await rename(part, join(folder, name));
            }),
          discard: () =>
            shielded(async () => {
              await handle.close();
              await rm(part, { force: true });
            }),
        };
      }),
  };
}
