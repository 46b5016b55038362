/** Arborio's client by its `fetch`, whose responses are the web's. */
import { gather, run } from "arborio";
import { openHttpClient } from "@arborio/http";
import process from "node:process";
import { obey } from "./client-control.ts";

await run(async () => {
  await using client = openHttpClient({ base: `http://127.0.0.1:${process.argv[2]}/` });
  await obey({ get: async () => (await client.fetch("/")).text() }, (flows) => gather([...flows]));
});
