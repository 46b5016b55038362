import type { SocketAddress } from "arborio/net";
import type { FieldList } from "../protocol/message.ts";
import { createAddressMatcher } from "./address-ranges.ts";
import { type ForwardedElement, forwardedElements, xForwardedElements } from "./forwarded-field.ts";

/**
 * Which proxies are believed: how many stand in front of the server (1: the one it is connected to); their addresses and ranges of
 * addresses, with `"unix"` for whoever comes through a Unix socket; or a function that is asked with each address, `"unix"` too.
 */
export type TrustedProxies = number | readonly string[] | ((address: string) => boolean);

/** Which proxies are believed, and what they write. */
export interface TrustProxiesOptions {
  /** Which. */
  readonly proxies: TrustedProxies;
  /**
   * Which fields they write. Default `"x-forwarded"`: `X-Forwarded-For`, `-Proto` and `-Host`. With `"forwarded"` it is the one of RFC
   * 7239. Never both: a proxy that writes one of them passes on the other as the client has made it up.
   */
  readonly fields?: "x-forwarded" | "forwarded";
}

/** From whom the server believes who the client is. A number, list or function alone: with `X-Forwarded-…`. */
export type TrustProxies = TrustedProxies | TrustProxiesOptions;

/** What is seen of a request on its own connection. */
export interface ConnectionFacts {
  /** The other end of the connection. */
  readonly peer: SocketAddress;
  /** Of the connection. */
  readonly scheme: "http" | "https";
  /** What the request calls the server: host and, if it has one, port. */
  readonly host: string;
  /** The request's fields. */
  readonly fields: FieldList;
}

/** Who sent a request, and what to. */
export interface RequestClient {
  /**
   * A numeric address, without port. `"unix"` for a Unix socket. If a trusted proxy hides it, what it says instead: `"unknown"`, or a
   * name that begins with `_`.
   */
  readonly address: string;
  /** That the client used, before any proxy. */
  readonly scheme: "http" | "https";
  /** What the client called the server: host and, if it has one, port. */
  readonly host: string;
}

/** Tells who sent a request. */
export type ClientOf = (facts: ConnectionFacts) => RequestClient;

/**
 * Finds out who sent a request, through proxies that are trusted. It walks from the connection outwards, and stops at the first address
 * that is not trusted: what stands further left is what that client made up. Scheme and host are what the outermost trusted proxy
 * told; what it did not tell, or wrote wrongly, is as the next one, and at last the connection, has it.
 *
 * With a number of proxies, make sure that nobody reaches the server round them.
 *
 * @throws TypeError, RangeError if `trust` is no whole number from 0 on, a range is malformed, or something else was given.
 *
 * Source: RFC 7239 §8.1.
 *
 * @example Behind one proxy
 * ```ts
 * import { createClientOf } from "@arborio/http";
 *
 * const clientOf = createClientOf(["10.0.0.0/8"]);
 * const client = clientOf({
 *   peer: { host: "10.0.0.1", port: 40_000 },
 *   scheme: "http",
 *   host: "app.internal",
 *   fields: ["X-Forwarded-For", "6.6.6.6, 192.0.2.7", "X-Forwarded-Proto", "https"],
 * });
 * console.assert(client.address === "192.0.2.7" && client.scheme === "https");
 * ```
 */
export function createClientOf(trust: TrustProxies): ClientOf {
  const { proxies, fields = "x-forwarded" } = optionsOf(trust);
  if (fields !== "x-forwarded" && fields !== "forwarded") {
    throw new TypeError(
      `createClientOf({ fields }): got ${JSON.stringify(fields)}, needs "x-forwarded" or "forwarded"`,
    );
  }
  const elementsIn = fields === "forwarded" ? forwardedElements : xForwardedElements;
  const isTrusted = trustOf(proxies);
  return (facts) => {
    const address = addressOf(facts.peer);
    const seen: RequestClient = { address, scheme: facts.scheme, host: facts.host };
    return isTrusted(address, 0) ? walk(seen, elementsIn(facts.fields), isTrusted) : seen;
  };
}

/** Outwards from a trusted peer. */
function walk(
  peer: RequestClient,
  elements: Iterable<ForwardedElement>,
  isTrusted: Trust,
): RequestClient {
  let { address, scheme, host } = peer;
  let hop = 0;
  for (const element of elements) {
    hop += 1;
    // A trusted proxy that does not say whose connection it was leaves nobody known.
    address = element.address === "" ? "unknown" : element.address;
    scheme = element.scheme ?? scheme;
    host = element.host ?? host;
    if (!isNumeric(address) || !isTrusted(address, hop)) break;
  }
  return { address, scheme, host };
}

/** Whether whoever has this address is a trusted proxy, as the `hop`th from the connection. */
type Trust = (address: string, hop: number) => boolean;

function trustOf(proxies: TrustedProxies): Trust {
  if (typeof proxies === "number") {
    if (!(Number.isInteger(proxies) && proxies >= 0)) {
      throw new RangeError(
        `createClientOf({ proxies }): got ${proxies}, needs a whole number from 0 on`,
      );
    }
    return (_address, hop) => hop < proxies;
  }
  if (typeof proxies === "function") return (address) => proxies(address);
  if (!Array.isArray(proxies)) {
    throw new TypeError(
      `createClientOf({ proxies }): got ${typeof proxies}, needs a number of proxies, a list of addresses and ranges, or a function`,
    );
  }
  const matches = createAddressMatcher(proxies.filter((range) => range !== UNIX));
  const unix = proxies.includes(UNIX);
  return (address) => (address === UNIX ? unix : matches(address));
}

const UNIX = "unix";

function addressOf(peer: SocketAddress): string {
  return "path" in peer ? UNIX : peer.host;
}

function isNumeric(address: string): boolean {
  return address !== "unknown" && !address.startsWith("_");
}

function optionsOf(trust: TrustProxies): TrustProxiesOptions {
  const isBare = typeof trust !== "object" || trust === null || Array.isArray(trust);
  return isBare ? { proxies: trust as TrustedProxies } : (trust as TrustProxiesOptions);
}
