import {
  BrokenResourceError,
  CancelScope,
  Cancelled,
  ClosedResourceError,
  createChannel,
  Event,
  type ReceiveChannel,
  type SendChannel,
  shielded,
  type TaskGroup,
} from "arborio";
import { startSystemTask } from "arborio/lowlevel";
import { type ByteStream, createMemoryStreamPair, type MemoryStream } from "arborio/streams";
import { ConnectionServer } from "../server/connection-server.ts";
import type { Handler } from "../server/handler.ts";
import type { HandlingOptions } from "../server/server-options.ts";
import type { ServerStatistics } from "../server/server-statistics.ts";
import { exchangeOnce } from "./test-exchange.ts";
import { type TestRequestInit, testRequest } from "./test-request.ts";

/** Options of `testClient`: those of a server, but where it listens. */
export interface TestClientOptions extends HandlingOptions {
  /** Where the server runs. Default: beside `main`, until the client is closed or `main` ends. */
  readonly group?: TaskGroup;
  /** Milliseconds that `close` lets requests finish. Default 0: they are cancelled. */
  readonly graceMs?: number;
}

/** Connections that were opened and that the server has not taken yet: it takes them as soon as it runs. */
const CONNECTIONS_WAITING_MAX = 1024;

/**
 * A server of `handler` without sockets, and its client: for tests. Each request goes through the whole engine, byte for byte, over a
 * connection in memory; in the simulator, in virtual time.
 *
 * @param options limits, timeouts and hooks as of `openServer`.
 * @throws TypeError, RangeError for wrong options; InvalidStateError outside a run.
 *
 * Counterpart: `aiohttp.test_utils.TestClient`.
 *
 * @example A handler tested without a socket
 * ```ts
 * import { run } from "arborio";
 * import { HttpResponse } from "@arborio/http";
 * import { testClient } from "@arborio/http/testing";
 *
 * await run(async () => {
 *   await using client = testClient(async (request) => HttpResponse.json(await request.json()));
 *   const response = await client.fetch("/echo", { method: "POST", body: '{"hello":"world"}' });
 *   console.assert(response.status === 200);
 *   console.assert((await response.json()).hello === "world");
 * });
 * ```
 */
export function testClient(handler: Handler, options: TestClientOptions = {}): TestClient {
  const client = new TestClient(
    new ConnectionServer("testClient", handler, options),
    options.graceMs ?? 0,
  );
  if (options.group === undefined) startSystemTask(() => client.run(), { name: "test server" });
  else options.group.startSoon(() => client.run(), { name: "test server" });
  return client;
}

/** A server in memory and its client. Made by `testClient`. */
export class TestClient implements AsyncDisposable {
  readonly #server: ConnectionServer;
  readonly #graceMs: number;
  readonly #scope: CancelScope = new CancelScope();
  readonly #opened: SendChannel<ByteStream>;
  readonly #accepted: ReceiveChannel<ByteStream>;
  /** Set when the server runs, and at the latest when it has ended. */
  readonly #started: Event = new Event();
  readonly #ended: Event = new Event();
  /** Of what sends the bodies of requests, beside the server. */
  #group: TaskGroup | null = null;

  /** @internal */
  constructor(server: ConnectionServer, graceMs: number) {
    this.#server = server;
    this.#graceMs = graceMs;
    [this.#opened, this.#accepted] = createChannel<ByteStream>(CONNECTIONS_WAITING_MAX);
  }

  /** @internal Serves until closed. */
  async run(): Promise<void> {
    try {
      await this.#scope.run(() =>
        this.#server.run({
          accept: (group) => this.#accept(group),
          stop: () => this.#opened.close(),
        }),
      );
    } finally {
      this.#accepted.close();
      this.#started.set();
      this.#ended.set();
    }
  }

  async #accept(group: TaskGroup): Promise<void> {
    this.#group = group;
    this.#started.set();
    for await (const stream of this.#accepted) {
      group.startSoon(() => this.#server.serveStream(stream), { name: "connection" });
    }
  }

  /**
   * Sends a request, on a connection of its own, and gives the response when its head is there. Cancelled, the connection is closed, as
   * by a client that leaves. The connection is closed too when the body was read to its end, or is closed.
   *
   * @param input path and query, or a whole URL, or a `Request`.
   * @throws BrokenResourceError if the server ends the connection before there is a response.
   * @throws ProtocolError if what the server sends is no response.
   * @throws ClosedResourceError after `close`.
   * @throws TypeError if the request cannot be sent.
   */
  async fetch(input: string | URL | Request, init: TestRequestInit = {}): Promise<Response> {
    const request = testRequest(input, init);
    const stream = this.connect();
    try {
      await this.#started.wait();
      return await exchangeOnce(stream, request, (send) => this.#startSending(stream, send));
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /**
   * Opens a connection to the server, for tests of the very bytes. It need not be closed: closing the client ends it.
   *
   * @param capacity bytes that each side may have sent and the other not received. Default 65,536.
   * @throws ClosedResourceError after `close`.
   */
  connect(capacity: number = 65_536): MemoryStream {
    const [near, far] = createMemoryStreamPair({ capacity });
    try {
      this.#opened.sendNowait(far);
    } catch (error) {
      if (!(error instanceof ClosedResourceError || error instanceof BrokenResourceError)) {
        throw error;
      }
      throw new ClosedResourceError("TestClient.connect: this client was closed");
    }
    return near;
  }

  /** In the server's group: it has to go on while the caller waits for the response. */
  #startSending(stream: MemoryStream, send: () => Promise<void>): void {
    const task = async (): Promise<void> => {
      try {
        await send();
      } catch (error) {
        // The connection tells the caller of it: the server wants no more, or the body failed.
        if (error instanceof Cancelled) throw error;
        stream.abort();
      }
    };
    this.#group?.startSoon(task, { name: "request body" });
  }

  /** How the server stands: a frozen snapshot. */
  statistics(): ServerStatistics {
    return this.#server.statistics();
  }

  /**
   * Shuts the server down, lets what goes on finish for so long, cancels the rest, and waits for it. Cancelled, it waits no longer than
   * the cleanup takes; it never throws `Cancelled`.
   */
  async close({ graceMs = this.#graceMs }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#scope.shutdown({ graceMs });
    try {
      await this.#ended.wait();
    } catch {
      this.#scope.cancel("the test client was closed");
      await shielded(() => this.#ended.wait());
    }
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
