/** nginx in front of a server of ours. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectTcp } from "arborio/net";
import { abandonOnCancel, sleep } from "arborio";
import { Program } from "./program.test.kit.ts";

/** The port may be taken by somebody else between its choice and its use. */
const TRIES_MAX = 5;

export class Nginx implements Disposable {
  readonly #program: Program;
  readonly #folder: string;
  readonly url: string;

  private constructor(program: Program, folder: string, url: string) {
    this.#program = program;
    this.#folder = folder;
    this.url = url;
  }

  /**
   * Starts it.
   *
   * @param server what stands in the block `server`, after `listen`.
   * @param outside what stands beside it, in the block `http`.
   */
  static async open(server: string, outside: string = ""): Promise<Nginx> {
    for (let tries = 1; ; tries++) {
      const folder = mkdtempSync(join(tmpdir(), "arborio-nginx-"));
      const port = await freePort();
      writeFileSync(join(folder, "nginx.conf"), configuration(port, server, outside));
      const args = ["-p", folder, "-e", join(folder, "error.log"), "-c", "nginx.conf"];
      const program = new Program("/usr/sbin/nginx", args);
      try {
        await listening(program, port);
        await answering(port);
        return new Nginx(program, folder, `http://127.0.0.1:${port}/`);
      } catch (error) {
        program[Symbol.dispose]();
        rmSync(folder, { recursive: true, force: true });
        if (tries === TRIES_MAX) throw error;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One process, so that killing it ends it. */
function configuration(port: number, server: string, outside: string): string {
  return `
    user root;
    daemon off;
    master_process off;
    pid nginx.pid;
    error_log stderr warn;
    events { worker_connections 256; }
    http {
      access_log off;
      client_max_body_size 0;
      client_body_temp_path body;
      proxy_temp_path proxy;
      fastcgi_temp_path fastcgi;
      uwsgi_temp_path uwsgi;
      scgi_temp_path scgi;
      ${outside}
      server {
        listen 127.0.0.1:${port};
        ${server}
      }
    }`;
}

/** A port that nobody has at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await abandonOnCancel(
    new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve())),
  );
  const { port } = server.address() as { port: number };
  await abandonOnCancel(new Promise<void>((resolve) => server.close(() => resolve())));
  return port;
}

/** Waits until nginx works: then it listens at all places, one after the other. What it gets is no request, so nobody behind it is asked. */
async function answering(port: number): Promise<void> {
  using stream = await connectTcp("127.0.0.1", port);
  await stream.send(new TextEncoder().encode("?\r\n\r\n"));
  await stream.receive();
}

/** Waits until a program takes connections. */
export async function listening(program: Program, port: number): Promise<void> {
  for (;;) {
    try {
      using _stream = await connectTcp("127.0.0.1", port);
      return;
    } catch (error) {
      if (program.hasEnded) throw new Error(`ended: ${program.printed}`, { cause: error });
    }
    await sleep(10);
  }
}
