/** A daemon that a load balancer can look after: `node main.ts --port 8000`. See README.md beside it. */
import { run } from "arborio";
import { formatAddress, listenTcp } from "arborio/net";
import { exitWith, readArguments } from "../shared/read-arguments.ts";
import { runDaemon } from "./daemon.ts";

const USAGE = "[--port PORT] [--needs HOST:PORT] [--drain MS] [--grace MS]";

const { port, needs, drain, grace } = readArguments(USAGE, {
  port: 8000,
  needs: "",
  drain: 3000,
  grace: 10_000,
});
const [, neededHost, neededPort] = /^(.*):(\d+)$/.exec(needs) ?? [];
if (needs !== "" && neededHost === undefined)
  exitWith(USAGE, `--needs: got "${needs}", needs HOST:PORT`);

await run(
  async () => {
    const listener = await listenTcp(port, { host: "localhost" });
    console.log(`daemon on ${listener.addresses.map(formatAddress).join(", ")}`);
    await runDaemon({
      listener,
      ...(neededHost === undefined
        ? {}
        : { needs: { host: neededHost, port: Number(neededPort) } }),
      drainMs: drain,
      graceMs: grace,
      log: (line) => console.error(line),
    });
    console.log("all work is done");
  },
  { graceMs: grace },
);
