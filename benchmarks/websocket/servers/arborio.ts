/** Arborio's server, as its guide says. */
import { openServer, upgradeWebSocket } from "@arborio/http";
import { run, sleepForever } from "arborio";
import { announce, BACKLOG } from "../../harness/server-control.ts";

await run(async () => {
  await using server = await openServer(
    (request, context) =>
      upgradeWebSocket(request, context, async (socket) => {
        for await (const message of socket) await socket.send(message);
      }),
    { port: 0, host: "127.0.0.1", backlog: BACKLOG },
  );
  announce(Number(new URL(server.url).port));
  await sleepForever();
});
