import { type Handler, HttpResponse, openServer, type ServerOptions } from "@arborio/http";
import { run, sleepForever } from "arborio";

/** What a server of tests has: files by their paths, and how it serves them. */
export class FileOrigin {
  readonly files: Map<string, Uint8Array> = new Map();
  /** Field `range` of each request that came, by path; `null`: none. */
  readonly requests: { readonly path: string; readonly headers: Headers }[] = [];
  /** So many bytes of a body are sent, then nothing more comes: `stall`, or the connection breaks, once: `break`. */
  fault: { readonly kind: "stall" | "break"; readonly afterBytes: number } | null = null;
  /** Requests that are answered by 503 first. */
  unavailable = 0;
  running = 0;
  runningMax = 0;

  readonly handler: Handler = async (request) => {
    const { pathname } = new URL(request.url);
    this.requests.push({ path: pathname, headers: new Headers(request.headers) });
    if (this.unavailable > 0) {
      this.unavailable -= 1;
      return new HttpResponse("not yet", { status: 503, headers: { "retry-after": "0" } });
    }
    const bytes = this.files.get(pathname);
    if (bytes === undefined) return new HttpResponse("nothing here", { status: 404 });
    return this.#serve(bytes, request.headers.get("range"));
  };

  #serve(bytes: Uint8Array, range: string | null): HttpResponse {
    const [, first] = /^bytes=(\d+)-$/.exec(range ?? "") ?? [];
    const start = Number(first ?? 0);
    const part = bytes.subarray(start);
    const { fault } = this;
    if (fault?.kind === "break") this.fault = null;
    this.running += 1;
    this.runningMax = Math.max(this.runningMax, this.running);
    const headers: Record<string, string> = {
      etag: `"${bytes.length}-${bytes[0] ?? 0}"`,
      "content-length": String(part.length),
    };
    if (first !== undefined)
      headers["content-range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    return new HttpResponse(
      async (sink) => {
        try {
          await sink.send(part.subarray(0, fault?.afterBytes ?? part.length));
          if (fault?.kind === "stall") await sleepForever();
          if (fault?.kind === "break") throw new Error("the test wants it to break");
        } finally {
          this.running -= 1;
        }
      },
      { status: first === undefined ? 200 : 206, headers },
    );
  }
}

/** Serves while a body runs, which gets the server's URL, and is in no run itself. */
export async function serving(
  handler: Handler,
  body: (url: string) => Promise<void>,
  options: ServerOptions = {},
): Promise<void> {
  const listening = Promise.withResolvers<string>();
  const over = Promise.withResolvers<void>();
  const served = run(
    async () => {
      const local = { host: "127.0.0.1", port: 0, onError: () => {}, graceMs: 0 };
      await using server = await openServer(handler, { ...local, ...options });
      listening.resolve(server.url);
      await over.promise;
    },
    { signals: [] },
  );
  served.catch(listening.reject);
  try {
    await body(await listening.promise);
  } finally {
    over.resolve();
    await served;
  }
}
