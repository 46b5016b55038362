import { EndOfStream, SystemError } from "../../core/errors.ts";
import { stat } from "../../fs/stat.ts";
import { connectUnix } from "../../net/connect-unix.ts";
import { listenUnix } from "../../net/listen-unix.ts";
import { currentBackend } from "../../platform/capabilities.ts";
import { withConnection } from "./tcp.test.kit.ts";
import { expect, type ProbeArea } from "./probe.test.kit.ts";

export const unix: ProbeArea = {
  title: "Unix sockets",
  probes: [
    { feature: "stream sockets with a path, half-close included", check: () => answers(newPath()) },
    {
      feature: 'names in the abstract space of Linux (`"\\0name"`)',
      check: () => answers(`\0arborio-gaps-${random()}`),
    },
    {
      feature: "`mode`: permission bits of the socket's file",
      async check() {
        const path = newPath();
        using _listener = await listenUnix(path, { mode: 0o600 });
        try {
          expect(((await stat(path)).mode & 0o777) === 0o600, "other bits than asked for");
        } catch (error) {
          // The simulator's sockets are no files.
          if (!(error instanceof SystemError && error.systemCode === "ENOENT")) throw error;
        }
      },
    },
    {
      feature: "descriptors with a message (`sendDescriptors`, `receiveDescriptors`)",
      check: () =>
        withConnection(async (client, server) => {
          await client.sendDescriptors(new Uint8Array(1), [0]);
          await server.receiveDescriptors(1, 1);
        }),
    },
  ],
};

async function answers(path: string): Promise<void> {
  using listener = await listenUnix(path);
  using client = await connectUnix(path);
  using server = await listener.accept();
  await client.send(new Uint8Array(2));
  await client.sendEof();
  let bytes = 0;
  for await (const chunk of server) bytes += chunk.length;
  expect(bytes === 2, "other bytes come than were sent");
  await server.send(new Uint8Array(3));
  server.close();
  try {
    for (;;) bytes += (await client.receive()).length;
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  }
  expect(bytes === 5, "nothing comes after `sendEof`");
}

function newPath(): string {
  return `/tmp/arborio-gaps-${random()}.sock`;
}

/** So that several runs on one machine do not meet. */
function random(): string {
  return String(Math.floor(currentBackend().entropy.random() * 1e9));
}
