/** The runtime's own fetch. */
import process from "node:process";
import { obey } from "./client-control.ts";

const origin = `http://127.0.0.1:${process.argv[2]}`;

await obey({
  get: async () => (await fetch(`${origin}/`)).text(),
  down: async () => {
    const response = await fetch(`${origin}/body`);
    let bytes = 0;
    for await (const chunk of response.body ?? []) bytes += chunk.length;
    return bytes;
  },
});
