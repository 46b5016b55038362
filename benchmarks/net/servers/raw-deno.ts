/** The echo server of `Deno.listen`: one loop a connection, with a buffer of its own. */
import { announce, BACKLOG } from "../../harness/server-control.ts";

/** What is used of Deno's connection. */
interface DenoConnection {
  /** Bytes read, or null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Bytes taken, which may be fewer than given. */
  write(chunk: Uint8Array): Promise<number>;
  setNoDelay(on: boolean): void;
  close(): void;
}

interface DenoListener extends AsyncIterable<DenoConnection> {
  readonly addr: { readonly port: number };
}

interface DenoHost {
  listen(options: {
    readonly hostname: string;
    readonly port: number;
    readonly tcpBacklog: number;
  }): DenoListener;
}

const { Deno } = globalThis as unknown as { readonly Deno: DenoHost };

/** As much as Node reads at once. */
const BUFFER_BYTES = 64 * 1024;

async function echo(connection: DenoConnection): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (;;) {
    const n = await connection.read(buffer);
    if (n === null) return;
    for (let sent = 0; sent < n;) sent += await connection.write(buffer.subarray(sent, n));
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: BACKLOG });
announce(listener.addr.port);
for await (const connection of listener) {
  echo(connection)
    .catch(() => {})
    .finally(() => connection.close());
}
