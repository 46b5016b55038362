/** What `client.statistics()` tells. */
export interface ClientStatistics {
  /** Connections that are open. */
  readonly connectionsOpen: number;
  /** Those of them that carry a request, or what it was upgraded to. */
  readonly connectionsActive: number;
  /** Those that are kept for the next one. */
  readonly connectionsIdle: number;
  /** Connections that are being made. */
  readonly connectionsConnecting: number;
  /** Connections that were made since the client was opened. */
  readonly connectionsOpened: number;
  /** Requests that wait for a connection to be free. */
  readonly requestsWaiting: number;
  /** Requests that were sent, whatever came of it; each redirect, retry and replay counts. */
  readonly requestsSent: number;
  /** Those of them that were sent on a connection that had carried another one. */
  readonly requestsReused: number;
  /** Those of them that were sent again since the server had ended a connection that was kept. */
  readonly requestsReplayed: number;
  /** Bytes that came, on all connections, with those that are closed; without those of TLS. */
  readonly bytesReceived: number;
  /** Bytes that were sent, likewise. */
  readonly bytesSent: number;
}
