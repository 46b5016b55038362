/**
 * Unix datagram sockets through Deno's own API, which is there with the flag `--unstable-net` only. It binds and sends; what it
 * lacks, connecting and telling a live socket's file from one that was left behind, is done here.
 */
import { NotSupportedError, SystemError } from "../../core/errors.ts";
import type {
  Completion,
  DatagramHandle,
  DatagramReceiver,
  UnixDatagramTarget,
  Withdraw,
} from "../../platform/network.ts";
import type { SocketAddress, UnixAddress } from "../../platform/wire.ts";
import { outsideContext } from "../shared/ambient.ts";
import { toSystemError } from "../shared/system-error.ts";

/** Linux's default limit of a socket's send buffer is 212,992 bytes, so no datagram is larger unless an administrator raised it. */
const DATAGRAM_BYTES_MAX = 262_144;

interface DenoAddress {
  readonly transport: "unixpacket";
  readonly path: string | null;
}

interface DenoDatagramConn {
  readonly addr: DenoAddress;
  receive(buffer: Uint8Array): Promise<[Uint8Array, DenoAddress]>;
  send(bytes: Uint8Array, to: DenoAddress): Promise<number>;
  close(): void;
}

interface DenoNamespace {
  listenDatagram?(options: DenoAddress): DenoDatagramConn;
  connect(options: { transport: "unix"; path: string }): Promise<{ close(): void }>;
  chmodSync(path: string, mode: number): void;
  removeSync(path: string): void;
}

export function openUnixDatagram(
  target: UnixDatagramTarget,
  receiver: DatagramReceiver,
  completion: Completion<DatagramHandle>,
): Withdraw {
  const { Deno: deno } = globalThis as unknown as { Deno: DenoNamespace };
  if (deno.listenDatagram === undefined) {
    const operation = target.remotePath === undefined ? "openUnixDatagram" : "connectUnixDatagram";
    throw new NotSupportedError(
      `${operation}: the backend "deno" can do this only with the flag --unstable-net; docs/gaps.md lists which can without`,
    );
  }
  let wanted = true;
  const failed = (error: unknown): void => {
    if (wanted) completion.fail(toSystemError(describe(target), error));
  };
  // What is begun in a task's async context would keep that context alive.
  outsideContext(() => {
    void open(deno, target).then((conn) => {
      const handle = new DenoUnixDatagram(deno, conn, target, receiver);
      if (!wanted) return handle.close();
      completion.succeed(handle);
      handle.setReading(true);
    }, failed);
  });
  return () => {
    wanted = false;
  };
}

async function open(deno: DenoNamespace, target: UnixDatagramTarget): Promise<DenoDatagramConn> {
  const { path, mode, remotePath } = target;
  if (remotePath !== undefined) {
    const code = await missing(deno, remotePath);
    if (code !== null) throw new SystemError(`connect to ${remotePath}: ${code}`, code);
  }
  const conn = await bind(deno, path);
  if (path === undefined || mode === undefined) return conn;
  try {
    deno.chmodSync(path, mode);
    return conn;
  } catch (error) {
    conn.close();
    removeFile(deno, path);
    throw error;
  }
}

/** Without a path the system gives it a name in the abstract space. A file that was left behind is replaced. */
async function bind(deno: DenoNamespace, path: string | undefined): Promise<DenoDatagramConn> {
  const listen = (): DenoDatagramConn =>
    (deno as Required<DenoNamespace>).listenDatagram({ transport: "unixpacket", path: path ?? "" });
  try {
    return listen();
  } catch (error) {
    const isTaken = (error as { code?: unknown }).code === "EADDRINUSE";
    if (path === undefined || !isTaken || (await missing(deno, path)) !== "ECONNREFUSED")
      throw error;
    deno.removeSync(path);
    return listen();
  }
}

/**
 * Why nobody is at a path; `null` if somebody is. A stream that is to be connected to a datagram socket gets `EPROTOTYPE` (for which Deno
 * has no code), but to a file that was left behind `ECONNREFUSED`.
 */
async function missing(deno: DenoNamespace, path: string): Promise<string | null> {
  try {
    (await deno.connect({ transport: "unix", path })).close();
    return "EPROTOTYPE";
  } catch (error) {
    const { code } = error as { code?: unknown };
    return code === "ENOENT" || code === "ECONNREFUSED" || code === "EACCES" ? code : null;
  }
}

class DenoUnixDatagram implements DatagramHandle {
  readonly #deno: DenoNamespace;
  readonly #conn: DenoDatagramConn;
  readonly #target: UnixDatagramTarget;
  readonly #receiver: DatagramReceiver;
  readonly #buffer: Uint8Array = new Uint8Array(DATAGRAM_BYTES_MAX);
  readonly localAddress: UnixAddress;
  #wanted = false;
  #reading = false;
  #closed = false;

  constructor(
    deno: DenoNamespace,
    conn: DenoDatagramConn,
    target: UnixDatagramTarget,
    receiver: DatagramReceiver,
  ) {
    this.#deno = deno;
    this.#conn = conn;
    this.#target = target;
    this.#receiver = receiver;
    this.localAddress = { path: conn.addr.path ?? "" };
  }

  send(bytes: Uint8Array, to: SocketAddress | undefined, completion: Completion<void>): void {
    const path = to === undefined ? this.#target.remotePath : (to as UnixAddress).path;
    const address: DenoAddress = { transport: "unixpacket", path: path ?? "" };
    this.#conn.send(bytes, address).then(
      () => completion.succeed(),
      (error: unknown) => {
        const what = `send a datagram of ${bytes.length} bytes to ${path}`;
        completion.fail(toSystemError(what, error));
      },
    );
  }

  /** What is being read when reading stops still comes: one datagram. */
  setReading(reading: boolean): void {
    this.#wanted = reading;
    if (reading && !this.#reading) outsideContext(() => void this.#read());
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#wanted && !this.#closed) {
        const [bytes, from] = await this.#conn.receive(this.#buffer);
        if (!this.#closed) this.#receiver.received(bytes.slice(), { path: from.path ?? "" });
      }
    } catch (error) {
      if (!this.#closed) this.#receiver.failed(toSystemError("datagram socket", error));
    } finally {
      this.#reading = false;
    }
  }

  setOption(): void {
    throw new SystemError("set an option: Unix datagram sockets have none", "EOPNOTSUPP");
  }

  setMembership(): void {
    throw new SystemError("join a group: Unix datagram sockets have none", "EOPNOTSUPP");
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
    const { path } = this.#target;
    if (path !== undefined && !path.startsWith("\0")) removeFile(this.#deno, path);
  }
}

function removeFile(deno: DenoNamespace, path: string): void {
  try {
    deno.removeSync(path);
  } catch {
    // Somebody else has removed it.
  }
}

function describe({ path, remotePath }: UnixDatagramTarget): string {
  const at = path === undefined ? "" : ` at ${path}`;
  const peer = remotePath === undefined ? "" : ` for ${remotePath}`;
  return `open a Unix datagram socket${at}${peer}`;
}
