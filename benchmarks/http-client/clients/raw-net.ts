/** Large bodies on a bare socket of `node:net`: the ceiling that a runtime's sockets set. */
import { once } from "node:events";
import { connect } from "node:net";
import process from "node:process";
import { GREETING, obey, piecesOf } from "./client-control.ts";

const port = Number(process.argv[2]);

/** Sends a head, and a body; gives the body of the answer, by its pieces. */
async function exchange(
  head: string,
  body: Iterable<Uint8Array>,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let missing = -1;
  const done = new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      let data = chunk;
      if (missing < 0) {
        const end = chunk.indexOf("\r\n\r\n");
        const length = /content-length: *(\d+)/i.exec(chunk.toString("latin1", 0, end));
        missing = Number(length?.[1]);
        data = chunk.subarray(end + 4);
      }
      missing -= data.length;
      take(data);
      if (missing === 0) resolve();
    });
  });
  socket.write(head);
  for (const piece of body) if (!socket.write(piece)) await once(socket, "drain");
  await done;
  socket.destroy();
}

await obey({
  get: () => Promise.resolve(GREETING),
  down: async () => {
    let bytes = 0;
    await exchange("GET /body HTTP/1.1\r\nhost: x\r\n\r\n", [], (chunk) => (bytes += chunk.length));
    return bytes;
  },
  up: async (bytes) => {
    let answer = "";
    const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\n`;
    await exchange(head, piecesOf(bytes), (chunk) => (answer += new TextDecoder().decode(chunk)));
    return answer;
  },
});
