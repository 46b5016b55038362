/**
 * One of several processes that listen on the same port: `main PORT`. It prints `listening PORT`, then `handles
 * requests` when the first has come, serves until a signal asks it to end, and prints `handled N`.
 */
import process from "node:process";
import { run, sleep } from "arborio";
import { HttpResponse, serve } from "@arborio/http";
import { listenTcp } from "arborio/net";

/** Longer than a handler works, so that requests are being handled whenever a shutdown comes. */
const HANDLER_MS = 2;
const GRACE_MS = 10_000;

let handled = 0;
await run(
  async () => {
    const listener = await listenTcp(Number(process.argv[2]), {
      host: "127.0.0.1",
      reusePort: true,
    });
    console.log(`listening ${listener.port}`);
    await serve(
      async () => {
        handled += 1;
        if (handled === 1) console.log("handles requests");
        await sleep(HANDLER_MS);
        return new HttpResponse("hello\n");
      },
      { listener, graceMs: GRACE_MS },
    );
  },
  { graceMs: GRACE_MS },
);
console.log(`handled ${handled}`);
