/**
 * Which ports of a host are open: `node main.ts localhost 1-1024`. See README.md beside it.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { failAfter, run } from "arborio";
import { parsePorts, scanPorts } from "./scan.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    concurrency: { type: "string", default: "100" },
    timeout: { type: "string", default: "1000" },
    deadline: { type: "string", default: "60000" },
  },
});
const [host, ports] = positionals;

if (host === undefined || ports === undefined) {
  console.error(
    "Usage: main.ts HOST PORTS [--concurrency N] [--timeout MS] [--deadline MS]; PORTS such as 22,80,8000-8010",
  );
  process.exitCode = 2;
} else {
  const limits = { concurrency: Number(values.concurrency), timeoutMs: Number(values.timeout) };
  const scanned = await run(() =>
    failAfter(Number(values.deadline), () => scanPorts(host, parsePorts(ports), limits)),
  );
  for (const { port, state } of scanned) if (state === "open") console.log(`${port} open`);
  const count = (state: string): number => scanned.filter((one) => one.state === state).length;
  console.log(`${count("open")} open, ${count("closed")} closed, ${count("silent")} silent`);
}
