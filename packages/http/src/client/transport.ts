import { failAfter, shielded, TimeoutError } from "arborio";
import { checkpointIfCancelled, onTaskEnd, type Wire } from "arborio/lowlevel";
import { BufferPool } from "../connection/buffer-pool.ts";
import type { ClientConnection } from "../connection/client-connection.ts";
import type { ClientCore } from "../connection/client-core.ts";
import type { IncomingBody } from "../connection/incoming-body.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import type { Dialer, DialProgress } from "../dial/dialer.ts";
import type { Route } from "../dial/route.ts";
import { Pool } from "../pool/pool.ts";
import type { ResponseHead } from "../protocol/message.ts";
import type { ClientRequest } from "./client-request.ts";
import type { ClientLimits, ClientTimeouts } from "./client-options.ts";
import { ClientResponse, type ResponseSource, type UpgradedConnection } from "./client-response.ts";
import type { ClientStatistics } from "./client-statistics.ts";
import { connectFailure } from "./connect-failure.ts";
import { Deadlines } from "./deadlines.ts";
import { decodedSource } from "./decoded-source.ts";
import { FieldTexts } from "./field-texts.ts";
import { outgoingRequestOf } from "./outgoing-request-of.ts";
import { DEFAULT_BODIES, type ResponseBodies } from "./response-bodies.ts";
import { RoutedConnection } from "./routed-connection.ts";
import { transferOf } from "./transfer-of.ts";

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

/** What some servers say when a connection has been idle for too long for them: it may cross a request, which may be sent again (RFC 9110 §15.5.9). */
const REQUEST_TIMEOUT = 408;

/** How one request is sent. */
export interface Sending {
  readonly route: Route;
  readonly timeouts: ClientTimeouts;
  readonly bodies?: ResponseBodies;
  /** Told of its way to a connection. */
  readonly trace?: ConnectionTrace | null;
}

/** What is told of how a request gets its connection. */
export interface ConnectionTrace {
  queued(): void;
  connecting(): void;
  /** @param error `null`: it is connected. */
  connected(error: unknown): void;
  reused(): void;
}

/** Sends requests over pooled connections: the innermost of what a client does. */
export class Transport implements ClientCore {
  readonly limits: ClientLimits;
  readonly buffers: BufferPool = new BufferPool();
  readonly pool: Pool<RoutedConnection>;
  readonly #deadlines: Deadlines = new Deadlines(() => this.#leave());
  readonly #dialer: Dialer;
  readonly #texts: FieldTexts = new FieldTexts();
  readonly #warn: (message: string) => void;
  readonly #open: Set<RoutedConnection> = new Set();
  /** Those that the deadlines know. */
  #expected: ClientTimeouts | null = null;
  /** Somebody was told that responses are not read which others wait for. */
  #isUnreadTold = false;
  #connectionsOpened = 0;
  #requestsSent = 0;
  #requestsReused = 0;
  #requestsReplayed = 0;
  /** Of connections that are closed. */
  #bytesReceived = 0;
  #bytesSent = 0;

  constructor(limits: ClientLimits, dialer: Dialer, warn: (message: string) => void) {
    this.limits = limits;
    this.pool = new Pool(limits);
    this.#dialer = dialer;
    this.#warn = warn;
  }

  /** From now on requests may have these deadlines. */
  expect(timeouts: ClientTimeouts): void {
    const { headMs, bodyMs, writeMs, idleMs } = timeouts;
    this.#expected = timeouts;
    // What is not kept at all waits for no end of that.
    this.#deadlines.expect(Math.min(headMs, bodyMs, writeMs, idleMs === 0 ? Infinity : idleMs));
  }

  /** @throws RequestFailedError if there is no response. */
  async send(request: ClientRequest, sending: Sending): Promise<ClientResponse> {
    const { route, timeouts, bodies = DEFAULT_BODIES, trace = null } = sending;
    if (timeouts !== this.#expected) this.expect(timeouts);
    for (let isReplay = false; ; isReplay = true) {
      // Anew for each: a body that is compressed while it is sent is made of what can be sent again, and cannot itself.
      const outgoing = outgoingRequestOf(request, route, timeouts, bodies, this.#texts);
      if (outgoing.expectsContinue) this.#deadlines.expect(timeouts.continueMs);
      // What is sent cannot be called back.
      checkpointIfCancelled();
      let sentAt = this.#deadlines.look();
      // Connections that have ended meanwhile look as if they could be used.
      if (this.#deadlines.isHeldUp) sentAt = await this.#deadlines.catchUp();
      let connection = isReplay ? null : this.pool.takeNowait(route.key, sentAt);
      if (connection === null) {
        connection = await this.#take(request, route, timeouts, isReplay, trace);
        sentAt = this.#deadlines.look();
      }
      const { bytesWritten } = connection.outlet;
      const isReused = connection.requests > 0;
      connection.idleMs = timeouts.idleMs;
      this.#requestsSent += 1;
      if (isReused) {
        this.#requestsReused += 1;
        trace?.reused();
      }
      try {
        const head = await connection.exchange(outgoing, sentAt);
        const isLate = head.status === REQUEST_TIMEOUT && isReused && !isReplay;
        if (!isLate || !isRepeatable(request))
          return this.#response(request, connection, head, bodies);
        connection.close();
      } catch (error) {
        const isUntouched = request.isReplayable || !connection.hasUpload;
        const isUnsent = connection.outlet.bytesWritten === bytesWritten && isUntouched;
        const mayReplay = isReused && !isReplay && connection.isUnanswered && isDisconnected(error);
        if (!mayReplay || !(isUnsent || isRepeatable(request))) throw error;
      }
      // The server has ended a connection that was kept, while the request was on its way to it.
      this.#requestsReplayed += 1;
    }
  }

  statistics(): ClientStatistics {
    const { idle, lent, connecting, waiting } = this.pool.statistics();
    let bytesReceived = this.#bytesReceived;
    let bytesSent = this.#bytesSent;
    for (const { inlet, outlet } of this.#open) {
      bytesReceived += inlet.bytesReceived;
      bytesSent += outlet.bytesWritten;
    }
    return Object.freeze({
      connectionsOpen: this.#open.size,
      connectionsActive: lent,
      connectionsIdle: idle,
      connectionsConnecting: connecting,
      connectionsOpened: this.#connectionsOpened,
      requestsWaiting: waiting,
      requestsSent: this.#requestsSent,
      requestsReused: this.#requestsReused,
      requestsReplayed: this.#requestsReplayed,
      bytesReceived,
      bytesSent,
    });
  }

  /** Closes the connections that carry nothing. */
  closeIdle(): void {
    this.pool.closeIdle();
  }

  /** Closes everything: whoever waits for something is told so. Waits for who makes the bodies of requests, and does not throw `Cancelled`. */
  async close(): Promise<void> {
    this.pool.close();
    const broken = this.#breakOff();
    await this.#deadlines.close();
    await shielded(async () => {
      for (const connection of broken) await connection.cleaned();
    });
  }

  /** The run has ended, and somebody has forgotten to close this. */
  #leave(): void {
    this.#warn(
      `a client of HTTP was not closed when its run ended: its connections (${this.#open.size}) are closed now; use: await using client = openHttpClient(…)`,
    );
    this.#breakOff();
  }

  #breakOff(): readonly RoutedConnection[] {
    const open = [...this.#open];
    for (const connection of open) connection.breakOff();
    return open;
  }

  #response(
    request: ClientRequest,
    connection: RoutedConnection,
    head: ResponseHead,
    bodies: ResponseBodies,
  ): ClientResponse {
    const { body } = connection;
    if (head.status === 101) return this.#upgraded(request, connection, head);
    if (body === null) return new ClientResponse({ head, request, payload: null });
    const whole = connection.takeWholeNowait();
    if (whole === null) return this.#streamed(request, connection, head, body, bodies);
    const source = { head, request, payload: whole };
    const isPlain = head.framing !== "chunked";
    return new ClientResponse(decodedSource(isPlain ? source : withTrailers(source, body), bodies));
  }

  /** A response whose body is still to come. */
  #streamed(
    request: ClientRequest,
    connection: RoutedConnection,
    head: ResponseHead,
    body: IncomingBody,
    bodies: ResponseBodies,
  ): ClientResponse {
    connection.answered = request;
    connection.forgotten = onTaskEnd(() => {
      if (connection.body !== body) return;
      this.#warn(
        `${request.method} ${request.url}: the task that fetched it has ended, and nobody read the response to its end or closed it; use: using response = await client.fetch(…)`,
      );
      body.close();
    });
    const transfer = transferOf(connection, body);
    const source = withTrailers({ head, request, payload: body, limit: body, transfer }, body);
    return new ClientResponse(decodedSource(source, bodies));
  }

  /** Who waits for a connection whose response was forgotten waits for ever, and nobody could see why. */
  readonly #unread = ({ answered }: RoutedConnection): void => {
    const { waiting } = this.pool.statistics();
    if (waiting === 0 || answered === null || this.#isUnreadTold) return;
    this.#isUnreadTold = true;
    this.#warn(
      `${answered.method} ${answered.url}: for a while nobody has read its response, which holds a connection that other requests (${waiting}) wait for; read it to its end or close it: using response = await client.fetch(…)`,
    );
  };

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

  /** Waits for its turn, takes a connection of the pool, or makes one. */
  async #take(
    request: ClientRequest,
    route: Route,
    { poolMs, connectMs, idleMs }: ClientTimeouts,
    isFresh: boolean,
    trace: ConnectionTrace | null,
  ): Promise<RoutedConnection> {
    const progress: DialProgress = { phase: "connect" };
    const dial = (): Promise<Wire> =>
      failAfter(connectMs, () => this.#dialer.dial(route, progress));
    trace?.queued();
    const opening = {
      dial: trace === null ? dial : () => traced(dial, trace),
      open: (wire: Wire) => {
        const options = { key: route.key, idleMs, onUnread: this.#unread };
        const connection = new RoutedConnection(wire, this, options);
        connection.idleUntil = this.#deadlines.moment + idleMs;
        this.#connectionsOpened += 1;
        return connection;
      },
    };
    try {
      return await this.pool.take(route.key, opening, { isFresh, waitMs: poolMs });
    } catch (error) {
      if (error instanceof TimeoutError) this.#dialer.tookTooLong(route);
      throw connectFailure(error, progress, request, connectMs);
    }
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
    this.#bytesReceived += connection.inlet.bytesReceived;
    this.#bytesSent += connection.outlet.bytesWritten;
    if (routed.isPooled) this.pool.drop(routed.key, routed);
  }

  connectionIdle(connection: ClientConnection): void {
    const routed = connection as RoutedConnection;
    routed.remember();
    const restMs = routed.restMs();
    if (restMs === 0) return routed.close();
    routed.idleUntil = this.#deadlines.moment + restMs;
    this.pool.give(routed.key, routed);
  }
}

function withTrailers(source: ResponseSource, body: IncomingBody): ResponseSource {
  return { ...source, trailers: () => body.trailers };
}

function isDisconnected(error: unknown): boolean {
  return error instanceof RequestFailedError && error.reason === "disconnected";
}

/** Whether it may be sent again when nobody knows whether it has arrived. */
function isRepeatable({ method, isReplayable }: ClientRequest): boolean {
  return isReplayable && IDEMPOTENT.has(method);
}

async function traced(dial: () => Promise<Wire>, trace: ConnectionTrace): Promise<Wire> {
  trace.connecting();
  try {
    const wire = await dial();
    trace.connected(null);
    return wire;
  } catch (error) {
    trace.connected(error);
    throw error;
  }
}
