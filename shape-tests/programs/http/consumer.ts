// Type-checked against the installed tarballs, strictly: with the web's types alone, and with Node's alone.
import { run } from "arborio";
import {
  type ClientResponse,
  type Fetch,
  HttpRequest,
  HttpResponse,
  openHttpClient,
  openServer,
  type Handler,
} from "@arborio/http";
import * as protocol from "@arborio/http/protocol";
import * as testing from "@arborio/http/testing";

const handler: Handler = async (request) => {
  if (request instanceof HttpRequest && request.mode !== "cors") return new HttpResponse("no");
  const headers = [...request.headers.entries(), ...request.headers];
  return HttpResponse.json({ length: (await request.bytes()).length, headers });
};

export const value: Promise<string> = run(async (group) => {
  const server = await openServer(handler, { port: 0, group });
  await server.close();
  return server.url;
});

export const answer: Promise<Response> = run(async () => {
  const client = openHttpClient({ headers: { "x-a": "1" }, proxy: null });
  const asFetch: typeof fetch = client.fetch;
  const init: RequestInit = { method: "PUT", headers: new Headers(), body: "text" };
  await asFetch("http://a.test/", init);
  const response: ClientResponse = await (client.fetch satisfies Fetch)("http://a.test/", {
    method: "POST",
    credentials: "omit",
    body: async (sink) => sink.send("text"),
  });
  await client.close();
  return response;
});

// @ts-expect-error: options are known by their names and types.
export const wrong: unknown = { cache: "bogus", headers: 5 } satisfies Parameters<Fetch>[1];

export const entries: readonly object[] = [protocol, testing];
