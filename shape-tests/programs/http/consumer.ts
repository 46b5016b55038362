// Type-checked against the installed tarballs, strictly and without any runtime's types.
import { run } from "arborio";
import { HttpResponse, openServer, type Handler } from "@arborio/http";
import * as protocol from "@arborio/http/protocol";
import * as testing from "@arborio/http/testing";

const handler: Handler = async (request) =>
  HttpResponse.json({ length: (await request.bytes()).length });

export const value: Promise<string> = run(async (group) => {
  const server = await openServer(handler, { port: 0, group });
  await server.close();
  return server.url;
});

export const entries: readonly object[] = [protocol, testing];
