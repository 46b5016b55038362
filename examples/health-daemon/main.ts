/** A daemon that a load balancer can look after: `node main.ts --port 8000`. See README.md beside it. */
import process from "node:process";
import { parseArgs } from "node:util";
import { run } from "arborio";
import { formatAddress, listenTcp } from "arborio/net";
import { runDaemon } from "./daemon.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8000" },
    needs: { type: "string" },
    drain: { type: "string", default: "3000" },
    grace: { type: "string", default: "10000" },
  },
});
const [, host, port] = /^(.*):(\d+)$/.exec(values.needs ?? "") ?? [];

if (values.needs !== undefined && host === undefined) {
  console.error("Usage: main.ts [--port PORT] [--needs HOST:PORT] [--drain MS] [--grace MS]");
  process.exitCode = 2;
} else {
  const graceMs = Number(values.grace);
  await run(
    async () => {
      const listener = await listenTcp(Number(values.port), { host: "localhost" });
      console.log(`daemon on ${listener.addresses.map(formatAddress).join(", ")}`);
      await runDaemon({
        listener,
        ...(host === undefined ? {} : { needs: { host, port: Number(port) } }),
        drainMs: Number(values.drain),
        graceMs,
        log: (line) => console.error(line),
      });
      console.log("all work is done");
    },
    { graceMs },
  );
}
