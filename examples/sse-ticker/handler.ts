import { eventStreamResponse, type Handler, HttpError, HttpResponse } from "@arborio/http";
import { page } from "./page.ts";
import type { Ticker } from "./ticker.ts";

/** Milliseconds after which a client that was sent away comes back. */
const RETRY_MS = 500;

const HTML = {
  headers: {
    "content-type": "text/html;charset=utf-8",
    "content-security-policy":
      "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'",
  },
};

/** The page at `/`, its events at `/events`. */
export function createHandler(ticker: Ticker): Handler {
  return (request) => {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET")
      throw new HttpError(405, `there is only GET here`, { headers: { allow: "GET" } });
    switch (pathname) {
      case "/":
        return new HttpResponse(page, HTML);
      case "/events":
        return eventStreamResponse(request, (events) => ticker.send(events), { retryMs: RETRY_MS });
      default:
        throw new HttpError(404, `there is no ${pathname}`);
    }
  };
}
