/** undici's quickest call beside `dispatch`. */
import process from "node:process";
import { Readable } from "node:stream";
import { Pool } from "undici";
import { IN_FLIGHT, obey, piecesOf } from "./client-control.ts";

const origin = `http://127.0.0.1:${process.argv[2]}`;
const pool = new Pool(origin, { connections: IN_FLIGHT });

await obey({
  get: async () => (await pool.request({ path: "/", method: "GET" })).body.text(),
  down: async () => {
    const { body } = await pool.request({ path: "/body", method: "GET" });
    let bytes = 0;
    for await (const chunk of body) bytes += (chunk as Uint8Array).length;
    return bytes;
  },
  up: async (bytes) => {
    const { body } = await pool.request({
      path: "/",
      method: "POST",
      headers: { "content-length": String(bytes) },
      body: Readable.from(piecesOf(bytes), { objectMode: false }),
    });
    return await body.text();
  },
});
