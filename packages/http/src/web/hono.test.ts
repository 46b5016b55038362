/** Hono is the framework we recommend: what its handlers see must be the same with our requests as with the platform's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { stream, streamSSE, streamText } from "hono/streaming";
import { HttpResponse } from "./http-response.ts";
import { responseParts } from "./response-parts.ts";
import { type TestRequest, testRequest } from "./request.test.kit.ts";

function appOf(): Hono {
  const app = new Hono();
  app.use("/cors/*", cors());
  app.use("/etag/*", etag());
  app.get("/text", (c) => c.text(`${c.req.query("q")} ${c.req.header("x-a")}`));
  app.get("/params/:id", (c) => c.json({ id: c.req.param("id"), queries: c.req.queries("q") }));
  app.get("/headers", (c) => c.json(c.req.header()));
  app.post("/json", async (c) => c.json({ got: (await c.req.json()) as unknown }, 201));
  app.post("/bad", async (c) => c.json(await c.req.json().catch(() => "refused")));
  app.post("/echo", async (c) => c.text(await c.req.text(), 200, { "X-Echo": "1" }));
  app.post("/twice", async (c) => c.text((await c.req.text()) + (await c.req.text())));
  app.post("/bytes", async (c) => c.body(await c.req.arrayBuffer()));
  app.post("/blob", async (c) => c.text(await (await c.req.blob()).text()));
  app.post("/form", async (c) => c.text(JSON.stringify([...(await c.req.formData())])));
  app.post("/parse", async (c) => {
    const { a, f } = await c.req.parseBody();
    return c.json([a, f instanceof File ? [f.name, await f.text()] : f]);
  });
  app.post("/raw", async (c) => {
    const { raw } = c.req;
    return c.json([
      raw.method,
      new URL(raw.url).pathname,
      raw instanceof Request,
      await raw.text(),
    ]);
  });
  app.post("/stream", (c) => c.body(c.req.raw.body as ReadableStream));
  app.post("/clone", async (c) => c.text((await c.req.raw.clone().text()) + (await c.req.text())));
  app.get("/redirect", (c) => c.redirect("/text", 303));
  app.get("/cookie", (c) => {
    setCookie(c, "b", "é 2", { secure: true });
    return c.text(getCookie(c, "a") ?? "none");
  });
  app.get("/streaming", (c) =>
    stream(c, async (out) => {
      await out.write("one ");
      await out.write(new Uint8Array([50]));
    }),
  );
  app.get("/lines", (c) => streamText(c, async (out) => void (await out.writeln("line"))));
  app.get("/sse", (c) => streamSSE(c, (out) => out.writeSSE({ data: "x", event: "e", id: "1" })));
  app.get("/ours", () => new HttpResponse("ours", { headers: { "x-a": "1" } }));
  app.get("/cors/ours", () => new HttpResponse("ours"));
  app.get("/etag/ours", () => new HttpResponse("ours"));
  app.get("/fail", () => {
    throw new Error("secret");
  });
  app.mount(
    "/mounted",
    async (request: Request) => new Response(`${request.url} ${await request.text()}`),
  );
  app.onError((error, c) => c.text(error.message, 500));
  return app;
}

const MULTIPART = ["content-type", "multipart/form-data; boundary=b"];
const PARTS = ["a", 'f"; filename="n.txt']
  .map((name) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\nvalue\r\n`)
  .join("");

const REQUESTS: Record<string, TestRequest> = {
  "c.text, query and header": { target: "/text?q=1%20", fields: ["X-A", "2"] },
  "c.json, param and queries": { target: "/params/%C3%A9?q=1&q=2" },
  "all headers": { target: "/headers", fields: ["A", "1", "B", "2", "a", "3"] },
  "c.req.json": { target: "/json", body: '{"a":[1]}' },
  "c.req.json of what is none": { target: "/bad", body: "{" },
  "c.req.text": { target: "/echo", body: "héllo" },
  "c.req.text twice": { target: "/twice", body: "ab" },
  "c.req.arrayBuffer, c.body": { target: "/bytes", body: "bytes" },
  "c.req.blob": { target: "/blob", body: "blob", fields: ["content-type", "a/b"] },
  "c.req.formData of an urlencoded form": {
    target: "/form",
    body: "a=1&b=%C3%A9",
    fields: ["content-type", "application/x-www-form-urlencoded"],
  },
  "c.req.parseBody of a multipart form": {
    target: "/parse",
    body: `${PARTS}--b--\r\n`,
    fields: MULTIPART,
  },
  "c.req.raw": { target: "/raw", body: "raw" },
  "c.body of the request's stream": { target: "/stream", body: "streamed" },
  "c.req.raw.clone": { target: "/clone", body: "c" },
  "c.redirect": { target: "/redirect" },
  cookies: { target: "/cookie", fields: ["Cookie", "a=1"] },
  stream: { target: "/streaming" },
  streamText: { target: "/lines" },
  streamSSE: { target: "/sse" },
  "a response of ours": { target: "/ours" },
  "a response of ours through CORS": { target: "/cors/ours", fields: ["origin", "http://o"] },
  "a response of ours through ETag": { target: "/etag/ours" },
  "an error": { target: "/fail" },
  "no such route": { target: "/none" },
  "a mounted application": { target: "/mounted/x?y", body: "m" },
  HEAD: { target: "/text?q=1", method: "HEAD", fields: ["X-A", "2"] },
};

/** The platform's request that is the same. */
function platformRequest({ target = "/", method, fields = [], body = null }: TestRequest): Request {
  const headers: [string, string][] = [];
  for (let index = 0; index < fields.length; index += 2) {
    headers.push([fields[index] as string, fields[index + 1] as string]);
  }
  const init = {
    method: method ?? (body === null ? "GET" : "POST"),
    headers,
    body: body as string | null,
  };
  return new Request(`http://example.com${target}`, init);
}

async function described(response: Response): Promise<unknown> {
  const { status, fields } = responseParts(response.clone());
  const sorted: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    sorted.push(`${String(fields[index]).toLowerCase()}: ${fields[index + 1]}`);
  }
  return { status, fields: sorted.sort(), text: await response.text() };
}

for (const [name, given] of Object.entries(REQUESTS)) {
  test(`Hono: ${name}, the same with HttpRequest as with the platform's Request`, () =>
    run(async () => {
      const app = appOf();
      const theirs = await app.fetch(platformRequest(given));
      const ours = await app.fetch(testRequest(given));
      const wanted = await described(theirs);
      assert.deepEqual(await described(ours), wanted);
      assert.notEqual(theirs.status, name === "no such route" ? 200 : 404);
    }));
}
