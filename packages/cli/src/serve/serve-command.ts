import { Option } from "commander";
import type { CommandSite } from "../command-line.ts";
import type { Shell } from "../host/shell.ts";
import { UsageError } from "../command-error.ts";
import { parseCount, parseDuration } from "../option-values.ts";
import type { ServeFileOptions } from "./serve-options.ts";
import { WORKER_VARIABLE, type WorkerCall } from "./worker-protocol.ts";

/** As that of the server. */
const PORT = 8000;

/** More processes than this are a slip of the finger. */
const WORKERS_MAX = 1024;

interface Values {
  readonly port?: number;
  readonly host?: string;
  readonly path?: string;
  readonly workers?: number;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly grace: number;
  readonly drain: number;
  readonly accessLog?: string;
  readonly trustProxies?: number | readonly string[];
  readonly json?: true;
  readonly dev?: true;
}

/** Adds `arborio serve`. */
export function addServeCommand({ program, shell, act }: CommandSite): void {
  program
    .command("serve")
    .summary("serve a module's handler over HTTP")
    .description(
      "Serves the handler that a module exports: its default, fetch, handler or app; a function that takes a Request and gives a Response, or an object with such a fetch, as a Hono app. Ctrl-C or SIGTERM lets requests finish, a second one cancels them.",
    )
    .argument("<file>", "the module; TypeScript as far as the runtime takes it")
    .option(
      "-p, --port <number>",
      `TCP port; 0: one that is free (default: ${PORT})`,
      parseCount(0, 65_535),
    )
    .option("--host <address>", "address to listen on (default: all)")
    .option("--path <path>", "a Unix socket instead of a port")
    .option(
      "-w, --workers <number>",
      "so many processes share the port: one that crashes is started again, SIGHUP replaces them one after the other",
      parseCount(1, WORKERS_MAX),
    )
    .option("--tls-certificate <file>", "certificate with its chain, in PEM: makes it HTTPS")
    .option("--tls-key <file>", "its key, in PEM")
    .addOption(
      new Option("--grace <time>", "how long requests may take to end when it is stopped")
        .argParser(parseDuration)
        .default(10_000, "10s"),
    )
    .addOption(
      new Option(
        "--drain <time>",
        "how long it then goes on as before, until balancers have noticed",
      )
        .argParser(parseDuration)
        .default(0, "none"),
    )
    .option(
      "--access-log <format>",
      "a line for each request on standard error: common, combined, json or a template",
    )
    .option(
      "--trust-proxies <who>",
      "how many proxies are in front, or their addresses with commas",
      parseProxies,
    )
    .option("--json", "say where it listens by a line of JSON on standard output")
    .option("--dev", "show errors to clients, log requests, and check as run --dev")
    .action(
      act(async (file: string, values: Values) => {
        const options = optionsOf(file, values);
        return await serve(options, shell);
      }),
    );
}

/** As a worker if a supervisor has started this process, as one if there are to be workers, else alone. */
async function serve(options: ServeFileOptions, shell: Shell): Promise<number> {
  const call = shell.takeVariable(WORKER_VARIABLE);
  if (call !== undefined) {
    const { serveAsWorker } = await import("./worker.ts");
    return await serveAsWorker(options, JSON.parse(call) as WorkerCall, shell);
  }
  const { workers } = options;
  if (workers !== undefined) {
    const { superviseFile } = await import("./supervise-file.ts");
    return await superviseFile({ ...options, workers }, shell);
  }
  const { serveFile } = await import("./serve-file.ts");
  return await serveFile(options, shell);
}

function optionsOf(file: string, values: Values): ServeFileOptions {
  const { port, host, path, workers, tlsCertificate, tlsKey, accessLog, trustProxies } = values;
  if (path !== undefined && (port !== undefined || host !== undefined))
    throw new UsageError("--path is instead of --port and --host");
  if (path !== undefined && workers !== undefined)
    throw new UsageError("--workers share a port, and cannot share the Unix socket of --path");
  if ((tlsCertificate === undefined) !== (tlsKey === undefined))
    throw new UsageError("--tls-certificate and --tls-key need each other");
  return {
    file,
    graceMs: values.grace,
    drainMs: values.drain,
    json: values.json === true,
    dev: values.dev === true,
    ...(path === undefined ? { port: port ?? PORT } : { path }),
    ...(host === undefined ? {} : { host }),
    ...(workers === undefined ? {} : { workers }),
    ...(tlsCertificate === undefined || tlsKey === undefined
      ? {}
      : { tls: { certificate: tlsCertificate, key: tlsKey } }),
    ...(accessLog === undefined ? {} : { accessLog }),
    ...(trustProxies === undefined ? {} : { trustProxies }),
  };
}

/** The number of proxies, or their addresses and ranges. What is wrong with them, the server says. */
function parseProxies(text: string): number | readonly string[] {
  return /^\d+$/.test(text) ? Number(text) : text.split(",").map((address) => address.trim());
}
