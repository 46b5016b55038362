/** Load from `wrk`: a fixed number of connections, each with one request on its way at any time. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "./program.test.kit.ts";

/** What it counted: whole responses, and what went wrong. */
export interface WrkCounts {
  readonly requests: number;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly status: number;
  readonly timeout: number;
}

/** In seconds; more than a test may take. */
const LIMIT_S = 60;

const REPORT = `
done = function(summary, latency, requests)
  local errors = summary.errors
  print(string.format('counts {"requests":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}',
    summary.requests, errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end`;

export class Wrk implements Disposable {
  readonly #program: Program;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "arborio-wrk-"));

  /** Begins at once, and goes on until `stop`. */
  constructor(url: string, connections: number) {
    const script = join(this.#folder, "report.lua");
    writeFileSync(script, REPORT);
    const load = ["-t1", `-c${connections}`, `-d${LIMIT_S}s`, "--timeout", `${LIMIT_S}s`];
    this.#program = new Program("wrk", [...load, "-s", script, url]);
  }

  async stop(): Promise<WrkCounts> {
    this.#program.signal("SIGINT");
    const { code, stdout, stderr } = await this.#program.ended();
    assert.equal(code, 0, stderr);
    return JSON.parse(/^counts (.*)$/m.exec(stdout)?.[1] ?? assert.fail(stdout)) as WrkCounts;
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
