/** What `server.statistics()` tells. */
export interface ServerStatistics {
  /** Connections that are open. */
  readonly connectionsOpen: number;
  /** Those of them on which a request is being handled. */
  readonly connectionsActive: number;
  /** Those that wait for a request. */
  readonly connectionsIdle: number;
  /** Requests that were handled, whatever came of it. */
  readonly requestsHandled: number;
  /** Bytes that came, on all connections, with those that are closed. */
  readonly bytesReceived: number;
  /** Bytes that were sent, likewise. */
  readonly bytesSent: number;
}
