import { BrokenResourceError, Cancelled } from "arborio";
import { takeWire, type Wire } from "arborio/lowlevel";
import { connectTcp, connectUnix, isIpAddress } from "arborio/net";
import type { ByteStream } from "arborio/streams";
import { DialError, type DialPhase } from "./dial-error.ts";
import type { DialOptions } from "./dial-options.ts";
import type { Dialer, DialProgress } from "./dialer.ts";
import type { DialTarget } from "./dial-target.ts";
import { DnsCache } from "./dns-cache.ts";
import { hostAndPort } from "./host-and-port.ts";
import { openHttpTunnel } from "./http-tunnel.ts";
import { proxyFailure } from "./proxy-failure.ts";
import { isForwarded, type ProxyRoute, type Route } from "./route.ts";
import { secured } from "./secured.ts";
import { openSocksTunnel, resolvesHere } from "./socks-tunnel.ts";

/**
 * Connects by the network of the run, or by what it is given instead. Layer upon layer, each of which owns the one below: TCP or a Unix socket,
 * TLS with a proxy, what the proxy is asked for, TLS with the server.
 */
export class NetworkDialer implements Dialer {
  readonly #dns: DnsCache;
  readonly #guardAddress: DialOptions["guardAddress"];
  readonly #connect: DialOptions["connect"];

  constructor(options: DialOptions = {}) {
    const { guardAddress, connect } = options;
    for (const [name, given] of Object.entries({ guardAddress, connect })) {
      if (given !== undefined && typeof given !== "function")
        throw new TypeError(`${name}: got ${typeof given}, needs a function`);
    }
    this.#dns = new DnsCache(options);
    this.#guardAddress = guardAddress;
    this.#connect = connect;
  }

  async dial(route: Route, progress: DialProgress = { phase: "connect" }): Promise<Wire> {
    const { proxy, tls, host, fingerprints } = route;
    progress.phase = "connect";
    // Before anything is opened: what is forbidden needs no proxy.
    const target = proxy === null ? route : await this.#targetFor(proxy, route);
    let stream = await this.#reach(route);
    if (proxy !== null) {
      progress.phase = "proxy";
      stream = await this.#pass(stream, proxy, route, target);
    }
    if (tls !== null) {
      progress.phase = "tls";
      stream = await secured(stream, { phase: "tls", host, tls, fingerprints });
    }
    return wireOf(stream, progress.phase, host);
  }

  tookTooLong({ proxy, host }: Route): void {
    this.#dns.forget(proxy?.host ?? host);
  }

  clearDnsCache(host?: string): void {
    this.#dns.clear(host);
  }

  /** What the proxy is asked to connect to. */
  async #targetFor(
    proxy: ProxyRoute,
    { host, port }: Route,
  ): Promise<{ host: string; port: number }> {
    const origin: DialTarget = { role: "origin", host, port, socketPath: null, localHost: null };
    if (!resolvesHere(proxy)) {
      if (isIpAddress(host)) await this.#guard([host], origin);
      return { host, port };
    }
    const addresses = await this.#addressesOf(origin);
    // Not every proxy has IPv6, and there is no race behind it.
    const chosen = addresses.find((address) => !address.includes(":")) ?? (addresses[0] as string);
    return { host: chosen, port };
  }

  /** Makes the stream lead through the proxy; if that fails, it is closed. */
  async #pass(
    stream: ByteStream,
    proxy: ProxyRoute,
    route: Route,
    target: { host: string; port: number },
  ): Promise<ByteStream> {
    let inner = stream;
    try {
      if (proxy.scheme === "https") {
        const { host, tls } = proxy;
        inner = await secured(stream, { phase: "proxy", host, tls, fingerprints: [] });
      }
      if (isForwarded(route)) return inner;
      const isHttp = proxy.scheme === "http" || proxy.scheme === "https";
      await (isHttp ? openHttpTunnel : openSocksTunnel)(inner, proxy, target);
      return inner;
    } catch (error) {
      inner.close();
      throw proxyFailure(error, proxy);
    }
  }

  /** Connects to the proxy, or to the server itself. */
  async #reach({ proxy, host, port, socketPath, localHost }: Route): Promise<ByteStream> {
    const target: DialTarget = {
      role: proxy === null ? "origin" : "proxy",
      host: proxy?.host ?? host,
      port: proxy?.port ?? port,
      socketPath,
      localHost,
    };
    if (this.#connect !== undefined) {
      if (socketPath === null && isIpAddress(target.host)) await this.#guard([target.host], target);
      return await unreachableUnlessMade(target, this.#connect(target));
    }
    if (socketPath !== null) return await unreachableUnlessMade(target, connectUnix(socketPath));
    const addresses = await this.#addressesOf(target);
    const options = { addresses, ...(localHost === null ? {} : { localHost }) };
    try {
      return await unreachableUnlessMade(target, connectTcp(target.host, target.port, options));
    } catch (error) {
      if (error instanceof DialError) this.#dns.forget(target.host);
      throw error;
    }
  }

  /** The addresses of what is connected to, each of them allowed. */
  async #addressesOf(target: DialTarget): Promise<readonly string[]> {
    const { host, localHost } = target;
    const all = await unreachableUnlessMade(target, this.#dns.addressesOf(host));
    const isIpv6 = localHost?.includes(":");
    const usable =
      isIpv6 === undefined ? all : all.filter((address) => address.includes(":") === isIpv6);
    if (usable.length === 0) {
      const from = localHost === null ? "" : ` of the family of ${localHost}`;
      throw new DialError("connect", "unreachable", `no address${from} is known for ${host}`);
    }
    await this.#guard(usable, target);
    return usable;
  }

  async #guard(addresses: readonly string[], target: DialTarget): Promise<void> {
    if (this.#guardAddress === undefined) return;
    for (const address of addresses) {
      try {
        await this.#guardAddress(address, target);
      } catch (error) {
        if (error instanceof Cancelled) throw error;
        const name = address === target.host ? "" : ` of ${target.host}`;
        const why = error instanceof Error ? error.message : String(error);
        throw new DialError(
          "connect",
          "refused",
          `the address ${address}${name} is forbidden: ${why}`,
          error,
        );
      }
    }
  }
}

/** @throws DialError if it has broken meanwhile. */
function wireOf(stream: ByteStream, phase: DialPhase, host: string): Wire {
  try {
    return takeWire(stream);
  } catch (error) {
    stream.close();
    if (!(error instanceof BrokenResourceError)) throw error;
    const message = `the connection to ${host} broke as soon as it was there: ${error.message}`;
    throw new DialError(phase, "disconnected", message, error);
  }
}

/** Failures of making connections, as those of dialing. */
async function unreachableUnlessMade<T>(target: DialTarget, made: PromiseLike<T>): Promise<T> {
  try {
    return await made;
  } catch (error) {
    if (error instanceof Cancelled || error instanceof DialError) throw error;
    const proxy = target.role === "proxy" ? "the proxy " : "";
    const where = target.socketPath ?? hostAndPort(target);
    const why = error instanceof Error ? error.message : String(error);
    throw new DialError(
      "connect",
      "unreachable",
      `cannot connect to ${proxy}${where}: ${why}`,
      error,
    );
  }
}
