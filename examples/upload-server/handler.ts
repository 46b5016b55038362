import { sleep } from "arborio";
import {
  type EventProducer,
  eventStreamResponse,
  type Handler,
  HttpError,
  HttpResponse,
} from "@arborio/http";
import { page } from "./page.ts";
import { receiveForm } from "./receive-form.ts";
import type { Store } from "./store.ts";
import { type Upload, Uploads } from "./uploads.ts";

/** A page is told of what has changed at most this often, in milliseconds: as often as one can see it. */
const PROGRESS_MS_MIN = 50;

const HTML = {
  headers: {
    "content-type": "text/html;charset=utf-8",
    "content-security-policy":
      "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'",
  },
};

/** `/` is the page, `/uploads/ID` takes its form, `/uploads/ID/progress` tells of it. */
export function createHandler(store: Store): Handler {
  const uploads = new Uploads();
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/" && request.method === "GET") return new HttpResponse(page, HTML);
    const [, id, what] = /^\/uploads\/([\w-]{1,40})(\/progress)?$/.exec(pathname) ?? [];
    if (id === undefined) throw new HttpError(404, `there is no ${pathname}`);
    const upload = uploads.get(id);
    if (what !== undefined && request.method === "GET")
      return eventStreamResponse(request, progressOf(upload));
    if (what !== undefined || request.method !== "POST")
      throw new HttpError(405, "an upload is sent by POST, its progress read by GET");
    if (upload.progress.state !== "waiting")
      throw new HttpError(409, "there is an upload of this name already");
    await receiveForm(request, upload, store);
    return HttpResponse.json(upload.progress, { status: 201 });
  };
}

function progressOf(upload: Upload): EventProducer {
  return async (events) => {
    for (;;) {
      const { progress } = upload;
      await events.send({ event: "progress", data: JSON.stringify(progress) });
      if (upload.isOver) return;
      await upload.changedSince(progress);
      await sleep(PROGRESS_MS_MIN);
    }
  };
}
