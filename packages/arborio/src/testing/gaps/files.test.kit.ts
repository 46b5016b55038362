import { NotSupportedError, WouldBlock } from "../../core/errors.ts";
import { openFile } from "../../fs/open-file.ts";
import { openTemporaryDirectory } from "../../fs/temporary-directory.ts";
import { replaceFile } from "../../fs/replace-file.ts";
import { currentBackend, requireCapability } from "../../platform/capabilities.ts";
import { changePath } from "../../fs/change-path.ts";
import { randomName } from "../../fs/random-name.ts";
import { watchDirectory } from "../../fs/watch-directory.ts";
import { expect, type Probe, type ProbeArea, Untestable } from "./probe.test.kit.ts";

/** Does something with a file that is removed afterwards. */
function probe(feature: string, check: (path: string) => Promise<void>): Probe {
  return {
    feature,
    async check() {
      const { temporaryDirectory } = requireCapability(currentBackend(), "files", feature);
      const path = `${temporaryDirectory}/${randomName("arborio-gaps-")}`;
      await replaceFile(path, "contents");
      try {
        await check(path);
      } finally {
        await changePath("remove", { kind: "remove-file", path });
      }
    },
  };
}

export const files: ProbeArea = {
  title: "Files",
  probes: [
    probe("`File.lock`: advisory locks that other programs see", async (path) => {
      using file = await openFile(path);
      using other = await openFile(path);
      try {
        using _lease = await file.lock();
        using _second = await other.lock({ wait: false });
        expect(false, "two programs hold one lock");
      } catch (error) {
        // Every runtime has them through that program, and none without it.
        if (error instanceof NotSupportedError && /program flock/.test(error.message))
          throw new Untestable("there is no program `flock` here");
        if (!(error instanceof WouldBlock)) throw error;
      }
    }),
    {
      feature:
        "`watchDirectory`: every change that lasts is told, also of directories that come later",
      async check() {
        await using temporary = await openTemporaryDirectory();
        using watch = await watchDirectory(temporary.path, { recursive: true });
        const path = temporary.path.join("below", "file");
        await path.parent.makeDirectory();
        await path.write("text");
        const told = [await watch.receive(), await watch.receive()].map((change) => change.path);
        expect(told[1] === String(path), "it is not");
      },
    },
  ],
};
