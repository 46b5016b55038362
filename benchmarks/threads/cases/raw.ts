/** Calls with bare workers: one message there, one back. */
import { Worker } from "node:worker_threads";
import { runRequestedCase } from "../../harness/case.ts";
import { casesOf, THREADS } from "./work.ts";

class BareWorker {
  readonly #worker: Worker = new Worker(new URL("./raw-worker.ts", import.meta.url));
  /** Who waits, oldest first: answers come in the order of the questions. */
  readonly #waiting: (() => void)[] = [];

  constructor() {
    this.#worker.on("message", () => this.#waiting.shift()?.());
  }

  call(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(undefined);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

const workers = Array.from({ length: THREADS }, () => new BareWorker());
let calls = 0;

await runRequestedCase(casesOf(() => (workers[calls++ % THREADS] as BareWorker).call()));
for (const worker of workers) await worker.end();
