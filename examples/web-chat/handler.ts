import { type Handler, HttpError, HttpResponse, upgradeWebSocket } from "@arborio/http";
import { attend } from "./attend.ts";
import { page } from "./page.ts";
import { Rooms } from "./rooms.ts";

/** What a guest says is short. */
const MESSAGE_BYTES_MAX = 16_384;

const HTML = {
  headers: {
    "content-type": "text/html;charset=utf-8",
    "content-security-policy":
      "default-src 'self'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'",
  },
};

/** The page at `/`, its WebSocket at `/chat`. Other pages' WebSockets are refused, since the origin has to be ours. */
export function createHandler(rooms: Rooms = new Rooms()): Handler {
  return (request, context) => {
    switch (new URL(request.url).pathname) {
      case "/":
        return new HttpResponse(page, HTML);
      case "/chat":
        return upgradeWebSocket(request, context, (socket) => attend(socket, rooms), {
          compression: true,
          messageBytesMax: MESSAGE_BYTES_MAX,
        });
      default:
        throw new HttpError(404, "there is only / and /chat");
    }
  };
}
