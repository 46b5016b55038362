/** Arborio's client: `request` for small bodies, streams for large ones. */
import { gather, run } from "arborio";
import { openHttpClient } from "@arborio/http";
import process from "node:process";
import { obey, piece } from "./client-control.ts";

await run(async () => {
  await using client = openHttpClient({ base: `http://127.0.0.1:${process.argv[2]}/` });
  await obey(
    {
      get: async () => (await client.request("/")).text(),
      down: async () => {
        using response = await client.fetch("/body");
        let bytes = 0;
        for await (const chunk of response.bodyStream ?? []) bytes += chunk.length;
        return bytes;
      },
      up: async (bytes) => {
        const response = await client.request("/", {
          method: "POST",
          headers: { "content-length": String(bytes) },
          body: async (sink) => {
            for (let sent = 0; sent < bytes; sent += piece.length) await sink.send(piece);
          },
        });
        return response.text();
      },
    },
    (flows) => gather([...flows]),
  );
});
