import type { ClientConnection } from "../connection/client-connection.ts";
import type { IncomingBody } from "../connection/incoming-body.ts";
import type { Transfer } from "./client-response.ts";

/** What goes on at a connection while the body of a response is read. */
export function transferOf({ upload }: ClientConnection, body: IncomingBody): Transfer {
  return {
    get bytesReceived() {
      return body.bytesReceived;
    },
    sent: () => upload?.sent() ?? null,
  };
}
