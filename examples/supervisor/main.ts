/**
 * Keeps programs running: `node main.ts services.json`. See README.md beside it.
 */
import process from "node:process";
import { run } from "arborio";
import { readTextFile } from "arborio/fs";
import { type Service, supervise } from "./supervise.ts";

const [path] = process.argv.slice(2);

if (path === undefined) {
  console.error("Usage: main.ts SERVICES.json");
  process.exitCode = 2;
} else {
  await run(
    async () => {
      const services = JSON.parse(await readTextFile(path)) as Service[];
      await supervise(services, {
        log: (name, line) => console.log(`${new Date().toISOString()} ${name} ${line}`),
      });
    },
    { signals: ["SIGINT", "SIGTERM", "SIGHUP"] },
  );
}
