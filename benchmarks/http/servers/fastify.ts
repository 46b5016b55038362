/** Fastify as it comes, without a schema and without its logger. */
import { fastify } from "fastify";
import type { AddressInfo } from "node:net";
import { announce, BACKLOG } from "../../harness/server-control.ts";
import { GREETING } from "./payload.ts";

const app = fastify({ keepAliveTimeout: 120_000 });
app.get("/", (_request, reply) => reply.send(GREETING));
app.post("/", (request, reply) => reply.send(request.body));
await app.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG });
announce((app.server.address() as AddressInfo).port);
