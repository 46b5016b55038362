/** The echo server of Arborio's public API. */
import { run } from "arborio";
import { listenTcp } from "arborio/net";
import { announce, BACKLOG } from "../../harness/server-control.ts";

await run(async () => {
  const listener = await listenTcp(0, { host: "127.0.0.1", backlog: BACKLOG });
  announce(listener.port);
  await listener.serve(async (stream) => {
    for await (const chunk of stream) await stream.send(chunk);
  });
});
