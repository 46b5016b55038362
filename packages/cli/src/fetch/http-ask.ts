import { type HttpClient, RequestFailedError } from "@arborio/http";
import type { Ask } from "./download.ts";

/** Asks over HTTP. */
export function httpAsk(client: HttpClient): Ask {
  return async (url, fields) => {
    // Ranges, lengths and checksums are of the bytes themselves, so they must not be compressed on the way.
    const headers = { ...fields, "accept-encoding": "identity" };
    const response = await client.fetch(url, { headers });
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

/** Whether a request that failed like this may succeed the next time: the network was at fault. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof RequestFailedError)) return false;
  return ["timeout", "unreachable", "disconnected"].includes(error.reason);
}
