/** The peer's own handshake over real sockets, and the WebSockets of the runtimes. */
import { createHash } from "node:crypto";
import { abandonOnCancel, moveOnAfter } from "arborio";
import { connectTcp, listenTcp } from "arborio/net";
import { BufferedByteStream, type ByteStream } from "arborio/streams";
import { type CaseSettings, type FuzzCase, judge } from "./case.test.kit.ts";
import { agreementOf, answerOf, offerOf } from "./suite.test.kit.ts";

const KEY = "AAAAAAAAAAAAAAAAAAAAAA==";
const HEAD_BYTES_MAX = 65_536;

/** What was found. */
export interface Judged {
  /** Ids of cases that failed, with what was wrong. */
  readonly failures: ReadonlyMap<string, string>;
  /** Ids of cases in which compression was offered, and not agreed upon. */
  readonly declined: readonly string[];
}

/** Runs cases against a server at this port. */
export async function judgeServer(
  port: number,
  cases: readonly FuzzCase[],
  settings: CaseSettings,
): Promise<Judged> {
  const failures = new Map<string, string>();
  const declined: string[] = [];
  for (const one of cases) {
    using stream = new BufferedByteStream(await connectTcp("127.0.0.1", port));
    const extension =
      one.deflate === undefined ? "" : `sec-websocket-extensions: ${offerOf(one.deflate)}\r\n`;
    await sendText(
      stream,
      `GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${KEY}\r\n${extension}\r\n`,
    );
    const head = await readHead(stream);
    if (!head.startsWith("HTTP/1.1 101")) {
      failures.set(one.id, head.slice(0, 100));
      continue;
    }
    const answer = /^sec-websocket-extensions:(.*)$/im.exec(head)?.[1] ?? "";
    const agreement = agreementOf(answer, "client");
    if (agreement === null && one.deflate !== undefined) declined.push(one.id);
    const failure = await judge(one, stream, "client", settings, agreement);
    if (failure !== undefined) failures.set(one.id, failure);
  }
  return { failures, declined };
}

/** Runs cases against clients that `connect` makes to a URL, and that echo. */
export async function judgeClient(
  connect: (url: string) => Disposable,
  cases: readonly FuzzCase[],
  settings: CaseSettings,
): Promise<Judged> {
  const failures = new Map<string, string>();
  const declined: string[] = [];
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  for (const one of cases) {
    using _client = connect(`ws://127.0.0.1:${listener.port}/`);
    using stream = new BufferedByteStream(await listener.accept());
    const head = await readHead(stream);
    const key = /^sec-websocket-key: *(.*?) *$/im.exec(head)?.[1] ?? "";
    const accept = createHash("sha1")
      .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    const isOffered = /permessage-deflate/i.test(head) && one.deflate !== undefined;
    const answer = isOffered && one.deflate !== undefined ? answerOf(one.deflate) : "";
    const extension = isOffered ? `sec-websocket-extensions: ${answer}\r\n` : "";
    await sendText(
      stream,
      `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${accept}\r\n${extension}\r\n`,
    );
    const agreement = agreementOf(answer, "server");
    if (agreement === null && one.deflate !== undefined) declined.push(one.id);
    const failure = await judge(one, stream, "server", settings, agreement);
    if (failure !== undefined) failures.set(one.id, failure);
  }
  return { failures, declined };
}

/** The WebSocket of the platform, which echoes. */
export function platformClient(url: string): Disposable {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", (event) => socket.send(event.data as string | ArrayBuffer));
  return {
    [Symbol.dispose](): void {
      socket.close();
    },
  };
}

interface PlatformServer {
  readonly port: number;
  readonly stop: () => Promise<unknown>;
}

/** What starts the server of the platform, which echoes; `null` where it has none. */
export function platformServer(): (() => PlatformServer) | null {
  const { Bun, Deno } = globalThis as unknown as PlatformGlobals;
  if (Bun !== undefined) return () => bunServer(Bun);
  return Deno === undefined ? null : () => denoServer(Deno);
}

function bunServer(Bun: NonNullable<PlatformGlobals["Bun"]>): PlatformServer {
  const server = Bun.serve({
    port: 0,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("no WebSocket")),
    websocket: {
      maxPayloadLength: 64 * 1024 * 1024,
      perMessageDeflate: true,
      message: (socket, message) => void socket.send(message),
    },
  });
  return { port: server.port, stop: () => Promise.resolve(server.stop(true)) };
}

function denoServer(Deno: NonNullable<PlatformGlobals["Deno"]>): PlatformServer {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", (event) => socket.send(event.data as string | ArrayBuffer));
    return response;
  });
  return { port: server.addr.port, stop: () => server.shutdown() };
}

/** As much of them as is used here. */
interface PlatformGlobals {
  readonly Bun?: {
    serve(options: {
      port: number;
      fetch(request: Request, server: { upgrade(request: Request): boolean }): Response | undefined;
      websocket: {
        maxPayloadLength: number;
        perMessageDeflate: boolean;
        message(socket: { send(data: unknown): unknown }, message: unknown): void;
      };
    }): { readonly port: number; stop(now: boolean): unknown };
  };
  readonly Deno?: {
    serve(
      options: { port: number; hostname: string; onListen: () => void },
      handler: (request: Request) => Response,
    ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
    upgradeWebSocket(request: Request): { socket: WebSocket; response: Response };
  };
}

/** Stops it, but waits no longer than a while: what it does is not judged. */
export async function stopped(server: PlatformServer): Promise<void> {
  await moveOnAfter(1000, () => abandonOnCancel(() => server.stop()));
}

async function sendText(stream: ByteStream, text: string): Promise<void> {
  await stream.send(new TextEncoder().encode(text));
}

async function readHead(stream: BufferedByteStream): Promise<string> {
  const end = new TextEncoder().encode("\r\n\r\n");
  return new TextDecoder().decode(await stream.receiveUntil(end, HEAD_BYTES_MAX));
}
