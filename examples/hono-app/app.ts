import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { failAfter, sleep, TimeoutError } from "arborio";
import { HttpResponse, type RequestContext } from "@arborio/http";
import { Notes } from "./notes.ts";

/** How long a handler may take, whichever it is. */
const HANDLER_MS_MAX = 5000;

/** An application of Hono's, as one would write it anywhere; `c.env` is Arborio's context of the request. */
export type App = Hono<{ Bindings: RequestContext }>;

/** An application with its own notes. */
export function createApp(notes: Notes = new Notes()): App {
  const app: App = new Hono();

  // Handlers run in the scope of their request: a deadline around them is one line, and ends what they have begun.
  app.use((_, next) => failAfter(HANDLER_MS_MAX, next));

  app.get("/", (c) => c.html("<!doctype html><title>Notes</title><h1>Notes</h1>"));

  app.get("/notes", (c) => c.json(notes.all));
  app.get("/notes/:id{[0-9]+}", (c) => {
    const note = notes.find(Number(c.req.param("id")));
    return note === undefined ? c.notFound() : c.json(note);
  });
  app.post("/notes", async (c) => c.json(notes.add(await textOf(c.req.raw)), 201));
  app.delete("/notes/:id{[0-9]+}", (c) =>
    notes.remove(Number(c.req.param("id"))) ? c.body(null, 204) : c.notFound(),
  );

  // A body that is made while it is sent, in the request's scope: when the client leaves, it ends.
  app.get("/count/:to{[0-9]+}", (c) => {
    const to = Number(c.req.param("to"));
    return new HttpResponse(async (sink) => {
      for (let count = 1; count <= to; count++) {
        await sink.send(`${count}\n`);
        await sleep(100);
      }
    });
  });

  app.get("/slow", async (c) => {
    await sleep(60_000);
    return c.text("nobody waits that long");
  });

  app.get("/whoami", (c) => {
    const { peer } = c.env;
    return c.text(peer !== undefined && "host" in peer ? peer.host : "somebody near");
  });

  app.notFound((c) => c.json({ error: `there is no ${c.req.path}` }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
    if (error instanceof RangeError) return c.json({ error: error.message }, 422);
    if (error instanceof TimeoutError) return c.json({ error: "it took too long" }, 503);
    // Arborio answers the rest: a client that sent no JSON with 400, what nobody expected with 500.
    throw error;
  });
  return app;
}

async function textOf(request: Request): Promise<string> {
  const body = (await request.json()) as { text?: unknown } | null;
  if (typeof body?.text === "string") return body.text;
  throw new HTTPException(422, { message: 'needs JSON such as { "text": "a note" }' });
}
