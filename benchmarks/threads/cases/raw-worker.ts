/** What a thread of `raw` runs. */
import { parentPort } from "node:worker_threads";
import { empty } from "./empty.ts";

parentPort?.on("message", () => {
  parentPort?.postMessage(empty());
});
