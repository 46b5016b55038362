/** Proxies for tests, from the specifications alone: they know nothing of the client. */
import { BrokenResourceError, EndOfStream, taskGroup } from "arborio";
import { connectTcp, type Listener } from "arborio/net";
import {
  BufferedByteStream,
  type ByteStream,
  copyStream,
  IncompleteReadError,
} from "arborio/streams";

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

/** Clients may go away at any time. */
const GONE = [EndOfStream, BrokenResourceError, IncompleteReadError];

/** What a proxy does with a connection. */
export type ProxyHandler = (stream: ByteStream, log: string[]) => Promise<void>;

/** Serves until it is cancelled. */
export async function runProxy(
  listener: Listener,
  handler: ProxyHandler,
  log: string[],
): Promise<void> {
  await listener.serve(async (stream) => {
    try {
      await handler(stream, log);
    } catch (error) {
      if (!GONE.some((gone) => error instanceof gone)) throw error;
    }
  });
}

/** An HTTP proxy: tunnels, and forwards one request of a connection, which the server then closes. */
export const httpProxy: ProxyHandler = async (stream, log) => {
  const client = new BufferedByteStream(stream);
  const head = decoder.decode(await client.receiveUntil(encoder.encode("\r\n\r\n"), 65_536));
  log.push(head);
  const [line = "", ...fields] = head.split("\r\n");
  const [method, target = ""] = line.split(" ");
  if (method === "CONNECT") {
    const url = new URL(`http://${target}`);
    using server = await connectTcp(url.hostname.replace(/^\[|\]$/g, ""), Number(url.port || 80));
    await stream.send(encoder.encode("HTTP/1.1 200 Connection established\r\n\r\n"));
    await relay(client, server);
    return;
  }
  const url = new URL(target);
  using server = await connectTcp(url.hostname, Number(url.port || 80));
  const kept = fields.filter((field) => !/^(proxy-|connection:)/i.test(field));
  const path = url.pathname + url.search;
  await server.send(
    encoder.encode(
      [`${method} ${path} HTTP/1.1`, ...kept, "connection: close", "", ""].join("\r\n"),
    ),
  );
  await relay(client, server);
};

/** A proxy that says this to whatever comes, and then does as `after` says. */
export function saying(answer: string, after: "close" | "wait" | "tunnel" = "close"): ProxyHandler {
  return async (stream, log) => {
    const client = new BufferedByteStream(stream);
    const head = decoder.decode(await client.receiveUntil(encoder.encode("\r\n\r\n"), 65_536));
    log.push(head);
    if (answer !== "") await stream.send(encoder.encode(answer));
    if (after === "wait") for await (const _chunk of client);
    if (after !== "tunnel") return;
    const url = new URL(`http://${head.split(" ")[1]}`);
    using server = await connectTcp(url.hostname, Number(url.port || 80));
    await relay(client, server);
  };
}

/** A SOCKS proxy of version 5 or 4, as the client has it. `users`: names and passwords; none are asked for without. */
export function socksProxy(users: Readonly<Record<string, string>> = {}): ProxyHandler {
  return async (stream, log) => {
    const client = new BufferedByteStream(stream);
    const [version = 0] = await client.receiveExactly(1);
    const asked = version === 4 ? await socks4(client) : await socks5(client, users);
    log.push(`${version} ${asked.user} ${asked.host}:${asked.port}`);
    if (asked.isRefused) return;
    using server = await connectTcp(asked.host, asked.port);
    await stream.send(
      Uint8Array.from(version === 4 ? [0, 90, 0, 0, 0, 0, 0, 0] : [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    );
    await relay(client, server);
  };
}

interface Asked {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly isRefused: boolean;
}

async function socks5(
  client: BufferedByteStream,
  users: Readonly<Record<string, string>>,
): Promise<Asked> {
  const text = async (): Promise<string> => {
    const [length = 0] = await client.receiveExactly(1);
    return length === 0 ? "" : decoder.decode(await client.receiveExactly(length));
  };
  const methods = await text();
  let user = "-";
  let isRefused = false;
  if (Object.keys(users).length === 0) await client.send(Uint8Array.of(5, 0));
  else if (!methods.includes("\u0002")) {
    await client.send(Uint8Array.of(5, 255));
    return { host: "", port: 0, user, isRefused: true };
  } else {
    await client.send(Uint8Array.of(5, 2));
    await client.receiveExactly(1);
    user = await text();
    const password = await text();
    isRefused = users[user] !== password;
    await client.send(Uint8Array.of(1, isRefused ? 1 : 0));
    if (isRefused) return { host: "", port: 0, user, isRefused };
  }
  const [, , , type = 0] = await client.receiveExactly(4);
  const host =
    type === 3 ? await text() : addressOf(await client.receiveExactly(type === 1 ? 4 : 16));
  const [high = 0, low = 0] = await client.receiveExactly(2);
  return { host, port: high * 256 + low, user, isRefused };
}

async function socks4(client: BufferedByteStream): Promise<Asked> {
  const [, high = 0, low = 0, ...address] = await client.receiveExactly(7);
  const text = async (): Promise<string> =>
    decoder.decode(await client.receiveUntil(Uint8Array.of(0), 256));
  const user = await text();
  const isName = address.slice(0, 3).every((byte) => byte === 0);
  const host = isName ? await text() : address.join(".");
  return { host, port: high * 256 + low, user: user === "" ? "-" : user, isRefused: false };
}

function addressOf(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2)
    groups.push((((bytes[at] as number) << 8) | (bytes[at + 1] as number)).toString(16));
  return groups.join(":");
}

async function relay(client: ByteStream, server: ByteStream): Promise<void> {
  await taskGroup(async (group) => {
    group.startSoon(() => copyStream(client, server, { end: true }));
    await copyStream(server, client, { end: true });
  });
}
