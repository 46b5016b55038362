import type { IncomingBody } from "../connection/incoming-body.ts";
import type { Transfer } from "./client-response.ts";
import type { RoutedConnection } from "./routed-connection.ts";

/** What goes on at a connection while the body of a response is read. */
export function transferOf(connection: RoutedConnection, body: IncomingBody): Transfer {
  const { upload } = connection;
  return {
    get bytesReceived() {
      return body.bytesReceived;
    },
    sent: () => upload?.sent() ?? null,
    keep() {
      if (connection.body !== body) return;
      connection.forgotten?.[Symbol.dispose]();
      connection.forgotten = null;
    },
  };
}
