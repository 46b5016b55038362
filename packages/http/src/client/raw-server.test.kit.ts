/** Servers of the very bytes, for what a client has to bear, and a client beside them. */
import assert from "node:assert/strict";
import { BrokenResourceError, EndOfStream, type TaskGroup } from "arborio";
import { listenTcp } from "arborio/net";
import { BufferedByteStream, type ByteStream, IncompleteReadError } from "arborio/streams";
import { bytesOf } from "../connection/raw-client.test.kit.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import type { ClientStatistics } from "./client-statistics.ts";

/** One connection as the server has it. */
export class RawPeer {
  readonly stream: ByteStream;
  readonly #buffered: BufferedByteStream;
  /** From 1 on. */
  readonly number: number;
  requests = 0;
  /** Of the request whose body was not read. */
  #head = "";

  constructor(stream: ByteStream, number: number) {
    this.stream = stream;
    this.number = number;
    this.#buffered = new BufferedByteStream(stream);
  }

  /** The head of the next request, as text; its body is read and dropped. `null`: the client has gone. */
  async request(): Promise<string | null> {
    const head = await this.requestHead();
    return head === null || !(await this.#dropBody()) ? null : head;
  }

  /** Likewise, but its body is not read before the next request is asked for. */
  async requestHead(): Promise<string | null> {
    if (!(await this.#dropBody())) return null;
    try {
      this.#head = textOf(await this.#buffered.receiveUntil(bytesOf("\r\n\r\n"), 65_536));
      this.requests += 1;
      return this.#head;
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }

  /** @returns whether all of it came. */
  async #dropBody(): Promise<boolean> {
    const head = this.#head;
    this.#head = "";
    try {
      const [, length = "0"] = /^content-length: (\d+)$/im.exec(head) ?? [];
      if (length !== "0") await this.#buffered.receiveExactly(Number(length));
      if (/^transfer-encoding: chunked/im.test(head))
        await this.#buffered.receiveUntil(bytesOf("0\r\n\r\n"), 1_048_576);
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  /** Sends text, each character as a byte. */
  async send(text: string): Promise<void> {
    await this.stream.send(bytesOf(text));
  }

  /** Breaks the connection. */
  reset(): void {
    this.stream.abort?.();
  }

  /** Answers with this body. */
  async answer(body: string = "", ...fields: readonly string[]): Promise<void> {
    const lines = ["HTTP/1.1 200 OK", `content-length: ${body.length}`, ...fields];
    await this.send(`${lines.join("\r\n")}\r\n\r\n${body}`);
  }
}

/** A server that does as told with each connection. */
export class RawServer {
  readonly url: string;
  /** Heads of requests, as far as `serve` recorded them. */
  readonly seen: string[] = [];
  connections = 0;
  open = 0;

  constructor(port: number) {
    this.url = `http://127.0.0.1:${port}/`;
  }
}

/** Starts a server that lives as long as the group, on the loopback unless a port is given. A connection is closed when `serve` returns. */
export async function rawServer(
  group: TaskGroup,
  serve: (peer: RawPeer, server: RawServer) => Promise<void>,
  port?: number,
): Promise<RawServer> {
  const listener = await (port === undefined
    ? listenTcp(0, { host: "127.0.0.1" })
    : listenTcp(port));
  const server = new RawServer(listener.port);
  const handle = async (stream: ByteStream): Promise<void> => {
    server.open += 1;
    try {
      await serve(new RawPeer(stream, ++server.connections), server);
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      stream.close();
      server.open -= 1;
    }
  };
  const serveAll = async (): Promise<void> => {
    using _ = listener;
    await listener.serve(handle);
  };
  group.startSoon(serveAll, { daemon: true, name: "raw server" });
  return server;
}

/** A server that answers whatever comes with the number of the connection. */
export async function numberingServer(
  group: TaskGroup,
  ...fields: readonly string[]
): Promise<RawServer> {
  return await rawServer(group, async (peer) => {
    while ((await peer.request()) !== null) await peer.answer(`${peer.number}`, ...fields);
  });
}

/** Matches errors of requests. */
export function failedIn(phase: string, reason: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RequestFailedError, String(error));
    assert.deepEqual([error.phase, error.reason], [phase, reason], error.message);
    return true;
  };
}

/** Nothing is open, and nobody waits. */
export function assertNothingOpen(statistics: ClientStatistics): void {
  const { connectionsOpen, connectionsActive, connectionsIdle } = statistics;
  const { connectionsConnecting, requestsWaiting } = statistics;
  assert.deepEqual(
    { connectionsOpen, connectionsActive, connectionsIdle, connectionsConnecting, requestsWaiting },
    {
      connectionsOpen: 0,
      connectionsActive: 0,
      connectionsIdle: 0,
      connectionsConnecting: 0,
      requestsWaiting: 0,
    },
  );
}

function isGone(error: unknown): boolean {
  return [EndOfStream, BrokenResourceError, IncompleteReadError].some(
    (one) => error instanceof one,
  );
}

function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
