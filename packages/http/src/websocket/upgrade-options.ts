import { isToken } from "../protocol/characters.ts";
import type { AllowedOrigins } from "../protocol/websocket/allows-origin.ts";
import type { HeadersSource } from "../web/headers-source.ts";
import {
  requireNames,
  type ResolvedWebSocketOptions,
  resolveWebSocketOptions,
  SOCKET_NAMES,
  type WebSocketOptions,
} from "./web-socket-options.ts";

/** Options of `upgradeWebSocket`. */
export interface UpgradeWebSocketOptions extends WebSocketOptions {
  /** Subprotocols that this side speaks, the ones it likes best first. The first that the client offers is agreed upon. Default: none. */
  readonly protocols?: readonly string[];
  /**
   * Which pages may connect, beside those of the server itself: their origins (`"https://app.example.org"`), a function that decides, or
   * `"any"`. Browsers let every page connect to every server, with the cookies of its visitors. Clients that are no browsers
   * send no origin, and may always connect. Default: none.
   */
  readonly origins?: AllowedOrigins;
  /** Fields of the response. */
  readonly headers?: HeadersSource;
}

/** Options of `upgradeWebSocket` with their defaults. */
export interface ResolvedUpgradeOptions {
  readonly resolved: ResolvedWebSocketOptions;
  readonly protocols: readonly string[];
  readonly origins: AllowedOrigins;
}

const WHERE = "upgradeWebSocket";
const NAMES: Readonly<Record<keyof UpgradeWebSocketOptions, true>> = {
  ...SOCKET_NAMES,
  protocols: true,
  origins: true,
  headers: true,
};

/** As browsers send it (RFC 6454 §6.2): a scheme, a host, a port if it is not the scheme's; no path. */
const ORIGIN = /^(?:null|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+)$/i;

/**
 * The options that hold.
 *
 * @throws TypeError, RangeError for wrong ones.
 */
export function resolveUpgradeOptions(options: UpgradeWebSocketOptions): ResolvedUpgradeOptions {
  requireNames(WHERE, options, NAMES);
  const { protocols = [], origins = [] } = options;
  requireProtocols(protocols);
  requireOrigins(origins);
  return { resolved: resolveWebSocketOptions(WHERE, options), protocols, origins };
}

function requireProtocols(protocols: unknown): void {
  const wrong = Array.isArray(protocols) ? protocols.find((name) => !isToken(name)) : protocols;
  if (wrong === undefined) return;
  throw new TypeError(
    `${WHERE}({ protocols }): got ${shown(wrong)}, needs a list of names that are tokens: ["chat"]`,
  );
}

/** One that is written in another way would never be the one that comes. */
function requireOrigins(origins: unknown): void {
  if (origins === "any" || typeof origins === "function") return;
  const wrong = Array.isArray(origins)
    ? origins.find((one) => typeof one !== "string" || !ORIGIN.test(one))
    : origins;
  if (wrong === undefined) return;
  throw new TypeError(
    `${WHERE}({ origins }): got ${shown(wrong)}, needs "any", a function, or a list of origins as browsers send them, without a path: ["https://app.example.org"]`,
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
