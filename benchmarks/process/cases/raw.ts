/** Short programs with the runtime's own `node:child_process`. */
import { spawn } from "node:child_process";
import { runRequestedCase } from "../../harness/case.ts";
import { casesOf, PROGRAM } from "./work.ts";

await runRequestedCase(
  casesOf(
    () =>
      new Promise((resolve, reject) => {
        const child = spawn(PROGRAM, [], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
        child.stdout.resume();
        child.on("error", reject);
        child.on("close", (code) => {
          if (code === 0) resolve();
          else reject(new Error(`${PROGRAM} ended with ${code}`));
        });
      }),
  ),
);
