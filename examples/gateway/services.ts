/** Services to try the gateway with: each behaves well and badly in its own way. */
import { sleep, sleepForever } from "arborio";
import { type Handler, HttpError, HttpResponse } from "@arborio/http";

/** Their names, and what answers for them. */
export function createServices(): Record<string, Handler> {
  let asked = 0;
  return {
    // Quick.
    profile: async () => {
      await sleep(20);
      return HttpResponse.json({ name: "Ada" });
    },
    // Every second time far too slow: ask elsewhere.
    orders: async () => {
      await sleep(++asked % 2 === 0 ? 5000 : 50);
      return HttpResponse.json([{ id: 1, item: "a difference engine" }]);
    },
    // It works once.
    news: once(() =>
      HttpResponse.json(["It works."], { headers: { "cache-control": "max-age=1" } }),
    ),
    // Never answers.
    offers: sleepForever,
    // Always fails.
    weather: () => {
      throw new HttpError(500, "no sun");
    },
  };
}

function once(handler: () => Response): Handler {
  let count = 0;
  return () => {
    if (++count > 1) throw new HttpError(503, "not again");
    return handler();
  };
}
