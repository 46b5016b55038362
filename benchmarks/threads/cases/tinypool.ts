/** Calls with Tinypool. */
import { Tinypool } from "tinypool";
import { runRequestedCase } from "../../harness/case.ts";
import { casesOf, THREADS } from "./work.ts";

const pool = new Tinypool({
  filename: new URL("./empty.ts", import.meta.url).href,
  name: "empty",
  minThreads: THREADS,
  maxThreads: THREADS,
});
await runRequestedCase(casesOf(() => pool.run(undefined)));
await pool.destroy();
