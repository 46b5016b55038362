import { accessLog, type ServerOptions, type TrustedProxies } from "@arborio/http";
import { readTextFile } from "arborio/fs";
import { SystemError } from "arborio";
import { UsageError } from "../command-error.ts";
import type { Shell } from "../host/shell.ts";

/** What `arborio serve` was told. */
export interface ServeFileOptions {
  readonly file: string;
  readonly port?: number;
  readonly host?: string;
  /** Of a Unix socket, instead of a port. */
  readonly path?: string;
  /** Processes that serve; `undefined`: this one alone. */
  readonly workers?: number;
  /** Paths of PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Milliseconds that requests have to end when the server is told to. */
  readonly graceMs: number;
  /** Milliseconds for which it then still goes on as before. */
  readonly drainMs: number;
  /** Format of the access log on standard error. */
  readonly accessLog?: string;
  readonly trustProxies?: TrustedProxies;
  /** Tells where it listens by a line of JSON on standard output. */
  readonly json: boolean;
  readonly dev: boolean;
}

/** The options of the server itself. @throws UsageError if one of them cannot be right. */
export async function serverOptions(
  options: ServeFileOptions,
  shell: Shell,
): Promise<ServerOptions> {
  const { port, host, path, tls, graceMs, drainMs, trustProxies, dev } = options;
  const format = options.accessLog ?? (dev ? "common" : undefined);
  return {
    graceMs: graceMs + drainMs,
    drainMs,
    debug: dev,
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(path === undefined ? {} : { path }),
    ...(options.workers === undefined ? {} : { reusePort: true }),
    ...(trustProxies === undefined ? {} : { trustProxies }),
    ...(tls === undefined ? {} : { tls: { identity: await readIdentity(tls) } }),
    ...(format === undefined ? {} : { trace: logTo(shell, format, trustProxies) }),
  };
}

function logTo(
  shell: Shell,
  format: string,
  trustProxies: TrustedProxies | undefined,
): NonNullable<ServerOptions["trace"]> {
  try {
    return accessLog({
      format,
      sink: (line) => shell.warn(line),
      ...(trustProxies === undefined ? {} : { trustProxies }),
    });
  } catch (error) {
    throw new UsageError(`--access-log: ${(error as Error).message}`);
  }
}

async function readIdentity(paths: {
  readonly certificate: string;
  readonly key: string;
}): Promise<{ certificate: string; privateKey: string }> {
  return {
    certificate: await readPem("--tls-certificate", paths.certificate),
    privateKey: await readPem("--tls-key", paths.key),
  };
}

async function readPem(option: string, path: string): Promise<string> {
  try {
    return await readTextFile(path);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new UsageError(`${option}: ${error.message}`);
  }
}
