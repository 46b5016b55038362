import {
  createProxyChooser,
  type HttpClient,
  openHttpClient,
  RequestFailedError,
} from "@arborio/http";
import { SystemError } from "arborio";
import { readTextFile } from "arborio/fs";
import { CommandError, UsageError } from "../command-error.ts";
import { isCertificate } from "../host/is-certificate.ts";
import type { Shell } from "../host/shell.ts";
import type { Ask } from "./download.ts";
import type { FetchFilesOptions } from "./fetch-options.ts";

/** Opens the client of all downloads. @throws UsageError if an option of it is wrong. */
export async function openClient(
  { proxy, caCertificate, headers, concurrency, limitPerHost }: FetchFilesOptions,
  { environment }: Shell,
): Promise<HttpClient> {
  const trusted = caCertificate === undefined ? undefined : await readCertificates(caCertificate);
  try {
    return openHttpClient({
      headers: headers.map(([name, value]): [string, string] => [name, value]),
      // The queue knows the hosts of URLs; this holds for those that redirects lead to as well.
      limits: { connectionsMax: concurrency, originConnectionsMax: limitPerHost },
      proxy: proxy === undefined ? createProxyChooser(environment) : proxy === "" ? null : proxy,
      ...(trusted === undefined ? {} : { tls: { trusted } }),
    });
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError)
      throw new UsageError(error.message);
    throw error;
  }
}

async function readCertificates(path: string): Promise<string> {
  let text: string;
  try {
    text = await readTextFile(path);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new UsageError(`--ca-certificate: ${error.message}`);
  }
  if (isCertificate(text)) return text;
  throw new UsageError(`--ca-certificate: ${path}: it needs certificates in PEM`);
}

/** Asks over HTTP. */
export function httpAsk(client: HttpClient): Ask {
  return async (url, fields) => {
    // Ranges, lengths and checksums are of the bytes themselves, so they must not be compressed on the way.
    const headers = { ...fields, "accept-encoding": "identity" };
    const response = await asked(() => client.fetch(url, { headers, decompress: false }));
    return {
      status: response.status,
      headers: response.headers,
      async *chunks() {
        const stream = response.bodyStream;
        if (stream !== null) yield* stream;
      },
      [Symbol.dispose]: () => response.close(),
    };
  };
}

/** What is wrong with a proxy that the environment names shows when it is needed. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError)
      throw new CommandError(error.message);
    throw error;
  }
}

/** Whether a request that failed like this may succeed the next time: the network was at fault. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof RequestFailedError)) return false;
  return ["timeout", "unreachable", "disconnected"].includes(error.reason);
}

/** What went wrong, without the method and URL that everybody knows. */
export function reasonOf(error: Error): string {
  if (!(error instanceof RequestFailedError)) return error.message;
  const prefix = `${error.method} ${error.url}: `;
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
}
