import { Cancelled, TimeoutError, failAfter } from "arborio";
import { onTaskEnd } from "arborio/lowlevel";
import { BufferPool } from "../connection/buffer-pool.ts";
import { ClientConnection } from "../connection/client-connection.ts";
import type { ClientCore } from "../connection/client-core.ts";
import type { OutgoingRequest } from "../connection/outgoing-request.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { DialError } from "../dial/dial-error.ts";
import type { Dialer, DialProgress } from "../dial/dialer.ts";
import { isForwarded, type Route } from "../dial/route.ts";
import { Pool } from "../pool/pool.ts";
import type { ResponseHead } from "../protocol/message.ts";
import {
  requireFieldName,
  requireFieldValue,
  requireMethod,
  requireTarget,
} from "../protocol/require-text.ts";
import { isName } from "../web/field-names.ts";
import type { ClientRequest } from "./client-request.ts";
import type { ClientLimits, ClientTimeouts } from "./client-options.ts";
import { ClientResponse, type UpgradedConnection } from "./client-response.ts";
import { Deadlines } from "./deadlines.ts";

/** Methods that may be sent again when nobody knows whether they have arrived (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
  "QUERY",
]);

/** How one request is sent. */
export interface Sending {
  readonly route: Route;
  readonly timeouts: ClientTimeouts;
}

/** Sends requests over pooled connections: the innermost of what a client does. */
export class Transport implements ClientCore {
  readonly limits: ClientLimits;
  readonly buffers: BufferPool = new BufferPool();
  readonly pool: Pool<RoutedConnection>;
  readonly #deadlines: Deadlines = new Deadlines();
  readonly #dialer: Dialer;
  readonly #warn: (message: string) => void;
  readonly #open: Set<RoutedConnection> = new Set();

  constructor(limits: ClientLimits, dialer: Dialer, warn: (message: string) => void) {
    this.limits = limits;
    this.pool = new Pool(limits);
    this.#dialer = dialer;
    this.#warn = warn;
  }

  /** From now on requests may have these deadlines. */
  expect(timeouts: ClientTimeouts): void {
    this.#deadlines.expect(
      Math.min(
        timeouts.headMs,
        timeouts.bodyMs,
        timeouts.writeMs,
        timeouts.continueMs,
        timeouts.idleMs,
      ),
    );
  }

  /** @throws RequestFailedError if there is no response. */
  async send(request: ClientRequest, { route, timeouts }: Sending): Promise<ClientResponse> {
    const outgoing = outgoingRequest(request, route, timeouts);
    for (let isFresh = false; ;) {
      const reused = isFresh ? null : this.pool.takeNowait(route.key);
      const connection = reused ?? (await this.#connect(request, route, timeouts));
      try {
        const head = await connection.exchange(outgoing);
        return this.#response(request, connection, head);
      } catch (error) {
        // The server may have ended a connection that was kept while the request was on its way to it.
        const isStale =
          reused !== null &&
          error instanceof RequestFailedError &&
          error.reason === "disconnected" &&
          connection.isUnanswered;
        if (!isStale || !request.isReplayable || !IDEMPOTENT.has(request.method)) throw error;
        isFresh = true;
      }
    }
  }

  /** Closes everything. */
  close(): void {
    this.pool.close();
    for (const connection of this.#open) connection.close();
    this.#deadlines.close();
  }

  #response(
    request: ClientRequest,
    connection: RoutedConnection,
    head: ResponseHead,
  ): ClientResponse {
    const { body } = connection;
    if (head.status === 101) return this.#upgraded(request, connection, head);
    const whole = connection.takeWholeNowait();
    if (body === null || whole !== null)
      return new ClientResponse({ head, request, payload: whole });
    const forgotten = onTaskEnd(() => {
      if (connection.body !== body) return;
      this.#warn(
        `${request.method} ${request.url}: the task that fetched it has ended, and nobody read the response to its end or closed it; use: using response = await client.fetch(…)`,
      );
      body.close();
    });
    connection.forgotten = forgotten;
    return new ClientResponse({
      head,
      request,
      payload: body,
      trailers: () => body.trailers,
    });
  }

  #upgraded(
    request: ClientRequest,
    connection: RoutedConnection,
    head: ResponseHead,
  ): ClientResponse {
    connection.forgotten = onTaskEnd(() => {
      this.#warn(
        `${request.method} ${request.url}: the task that asked for it has ended, and nobody took the upgraded connection or closed it; use: using response = await client.fetch(…)`,
      );
      connection.close();
    });
    const upgraded: UpgradedConnection = {
      takeWire() {
        connection.remember();
        return connection.takeWire();
      },
      close: () => connection.close(),
    };
    return new ClientResponse({ head, request, payload: null, upgraded });
  }

  async #connect(
    request: ClientRequest,
    route: Route,
    { connectMs }: ClientTimeouts,
  ): Promise<RoutedConnection> {
    return await this.pool.take(route.key, async () => {
      const progress: DialProgress = { phase: "connect" };
      try {
        const wire = await failAfter(connectMs, () => this.#dialer.dial(route, progress));
        return new RoutedConnection(wire, this, route.key);
      } catch (error) {
        throw connectFailure(error, progress, request);
      }
    });
  }

  // What connections tell ------------------------------------------------------------------------------------------------

  due(ms: number): number {
    return this.#deadlines.due(ms);
  }

  connectionOpened(connection: ClientConnection): void {
    this.#open.add(connection as RoutedConnection);
    this.#deadlines.add(connection);
  }

  connectionClosed(connection: ClientConnection): void {
    const routed = connection as RoutedConnection;
    routed.remember();
    this.#open.delete(routed);
    this.#deadlines.delete(connection);
    this.pool.drop(routed.key, routed);
  }

  connectionIdle(connection: ClientConnection): void {
    const routed = connection as RoutedConnection;
    routed.remember();
    this.pool.give(routed.key, routed);
  }
}

/** A connection that knows which pool of connections it belongs to. */
class RoutedConnection extends ClientConnection {
  readonly key: string;
  /** Told when the task ends that may have forgotten a response. */
  forgotten: Disposable | null = null;

  constructor(
    wire: ConstructorParameters<typeof ClientConnection>[0],
    core: ClientCore,
    key: string,
  ) {
    super(wire, core);
    this.key = key;
  }

  /** There is no response any more that could be forgotten. */
  remember(): void {
    this.forgotten?.[Symbol.dispose]();
    this.forgotten = null;
  }
}

function connectFailure(
  error: unknown,
  progress: DialProgress,
  { method, url }: ClientRequest,
): unknown {
  if (error instanceof Cancelled) return error;
  if (error instanceof TimeoutError) {
    return new RequestFailedError("no connection within connectMs", {
      phase: progress.phase,
      reason: "timeout",
      method,
      url,
      cause: error,
    });
  }
  if (!(error instanceof DialError)) return error;
  const { phase, reason, message } = error;
  return new RequestFailedError(message, {
    phase,
    reason,
    method,
    url,
    cause: error.cause ?? error,
  });
}

function outgoingRequest(
  request: ClientRequest,
  route: Route,
  timeouts: ClientTimeouts,
): OutgoingRequest {
  const { method, target, payload, payloadBytes } = request;
  const { upgrade = "" } = request.options;
  return {
    url: target.href,
    method: requireMethod(method),
    target: requireTarget(isForwarded(route) ? target.href : target.target),
    fieldText: fieldText(request, route, upgrade),
    payload,
    payloadBytes,
    isChunked: false,
    trailers: null,
    expectsContinue: false,
    closes: false,
    upgrade,
    bodyBytesMax: Infinity,
    signal: request.options.signal ?? null,
    timeouts,
    onInterim: null,
    onSent: null,
  };
}

function fieldText({ target, fields }: ClientRequest, route: Route, upgrade: string): string {
  let text = `host: ${target.authority}\r\n`;
  if (upgrade !== "") text += `connection: upgrade\r\nupgrade: ${requireFieldValue(upgrade)}\r\n`;
  const proxy = isForwarded(route) ? route.proxy : null;
  if (proxy !== null) text += proxy.fieldText;
  for (let at = 0; at < fields.length; at += 2) {
    const name = requireFieldName(fields[at] as string);
    // For a proxy alone, and once.
    if (isName(name, "proxy-authorization") && proxy?.hasAuthorization !== false) continue;
    text += `${name}: ${requireFieldValue(fields[at + 1] as string)}\r\n`;
  }
  return text;
}
