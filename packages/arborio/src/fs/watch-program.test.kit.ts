/** A program that watches the folder it is given until something happens, and then ends because nothing keeps it. */
import { spawn } from "node:child_process";
import process from "node:process";
import { run } from "../index.ts";
import { watchDirectory } from "../fs.ts";

const folder = process.argv[2] as string;
await run(async () => {
  using watch = await watchDirectory(folder);
  // Not waited for: only the watch keeps the program.
  spawn("/bin/sh", ["-c", 'sleep 0.3; : >"$1/file"', "sh", folder], { stdio: "ignore" }).unref();
  console.log((await watch.receive()).kind);
});
console.log("closed");
