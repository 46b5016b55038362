/** A client, a proxy and a server behind it, for tests. */
import assert from "node:assert/strict";
import { moveOnAfter, sleep } from "arborio";
import { connectTcp } from "arborio/net";
import { BufferedByteStream } from "arborio/streams";
import {
  type Handler,
  type HttpClient,
  openHttpClient,
  openServer,
  type Server,
} from "@arborio/http";
import { AS_THEY_ARE, createProxy } from "./proxy.ts";
import { Upstreams } from "./upstreams.ts";

export const LOCAL = { port: 0, host: "127.0.0.1", graceMs: 0 };

/** A client and a proxy. */
export interface Chain {
  /** Of the proxy. */
  readonly client: HttpClient;
  readonly proxy: Server;
  readonly upstreams: Upstreams;
  /** The proxy's own client. */
  readonly passing: HttpClient;
  /** What went wrong in the proxy. */
  readonly errors: unknown[];
  /** Opens a connection to the proxy. */
  readonly connect: () => Promise<RawPeer>;
}

/** Runs `body` beside a proxy of such a server. */
export async function withProxy(
  handler: Handler,
  body: (chain: Chain & { readonly upstream: Server }) => Promise<void>,
): Promise<void> {
  const limits = { bodyBytesMax: Infinity };
  await using upstream = await openServer(handler, { ...LOCAL, limits, onError: () => {} });
  await proxyTo([upstream.url], (chain) => body({ ...chain, upstream }));
}

/** Runs `body` beside a proxy of these servers. */
export async function proxyTo(
  urls: readonly string[],
  body: (chain: Chain) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  await using passing = openHttpClient({ ...AS_THEY_ARE, timeouts: { headMs: 5000 } });
  const upstreams = new Upstreams(urls.map((url) => new URL(url).origin));
  const handler = createProxy({ client: passing, sites: new Map([["*", upstreams]]) });
  const limits = { bodyBytesMax: Infinity };
  await using proxy = await openServer(handler, { ...LOCAL, limits, onError });
  await using client = openHttpClient({ base: proxy.url });
  const connect = async (): Promise<RawPeer> =>
    new RawPeer(await connectTcp("127.0.0.1", proxy.port));
  await body({ client, proxy, errors, upstreams, passing, connect });
}

/** One end of a connection, with the very bytes. */
export class RawPeer implements Disposable {
  readonly stream: BufferedByteStream;

  constructor(stream: ConstructorParameters<typeof BufferedByteStream>[0]) {
    this.stream = new BufferedByteStream(stream);
  }

  send(text: string): Promise<void> {
    return this.stream.send(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  /** The next head. */
  async head(): Promise<string> {
    const end = new TextEncoder().encode("\r\n\r\n");
    return new TextDecoder().decode(await this.stream.receiveUntil(end, 65_536));
  }

  /** All that comes until the connection ends, however it does. */
  async rest(): Promise<string> {
    let text = "";
    try {
      for await (const bytes of this.stream) text += new TextDecoder("latin1").decode(bytes);
    } catch {
      text += "(broken)";
    }
    return text;
  }

  [Symbol.dispose](): void {
    this.stream.close();
  }
}

/** Waits until nothing is open on a server: what the proxy keeps for the next request is idle. */
export async function settled(server: Server): Promise<void> {
  const isOver = await moveOnAfter(5000, async () => {
    while (server.statistics().connectionsActive > 0) await sleep(5);
    return true;
  });
  assert.ok(isOver, "a request is left");
}
