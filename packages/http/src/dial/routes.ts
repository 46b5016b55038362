import { Numbers } from "./numbers.ts";
import type { ProxyLike, ProxyChoice, RouteOptions } from "./route-options.ts";
import type { Route } from "./route.ts";
import {
  type ChosenOptions,
  type RouteSettings,
  routeSettings,
  settingsText,
} from "./route-settings.ts";
import { tlsOptions } from "./tls-options.ts";

/** Routes that are kept: a crawler must not fill the memory. */
const ROUTES_MAX = 1000;

/** Settings that are kept beside the client's own, with the numbers that stand for them. */
const SETTINGS_MAX = 1000;

/** Certificates and keys that are kept, with their numbers: one of both for each of the settings, and then some. */
const PEMS_MAX = 2500;

/** The client's own settings. */
const OWN = 0;

/** What a request goes to: the parts of its URL. */
export interface RouteTarget {
  readonly scheme: "http" | "https";
  /** A name, or a numeric address without brackets. */
  readonly host: string;
  readonly port: number;
  /** `"http://example.org"`. */
  readonly origin: string;
  /** Without credentials and fragment. */
  readonly href: string;
}

/** What of a request decides about its route. */
export interface RoutedOptions extends RouteOptions {
  /** The protocol that it asks for. */
  readonly upgrade?: string | null;
}

/**
 * The routes of a client. Those of its own settings are found by the origin alone: one look into a map for a request that has none of its own.
 *
 * Settings that differ in anything get numbers, which never come again, so that a connection made by one way is never taken for another.
 */
export class Routes {
  readonly #defaults: RouteOptions;
  /** Chooses the proxy of each request; `null`: it is always the same. */
  readonly #choice: ProxyChoice | null;
  readonly #own: RouteSettings;
  readonly #ownText: string;
  /** Of the client's own settings, by origin. */
  readonly #plain: Map<string, Route> = new Map();
  /** By key. */
  readonly #others: Map<string, Route> = new Map();
  /** By the origin and the URL of the proxy that was chosen: nothing has to be parsed for one that was chosen before. */
  readonly #chosen: Map<string, Route> = new Map();
  /** Of settings. */
  readonly #numbers: Numbers = new Numbers(SETTINGS_MAX);
  readonly #pems: Numbers = new Numbers(PEMS_MAX);

  /** @throws TypeError, RangeError for an option that is wrong. */
  constructor(defaults: RouteOptions) {
    const { proxy = null } = defaults;
    this.#choice = typeof proxy === "function" ? proxy : null;
    if (this.#choice !== null && typeof defaults.socketPath === "string")
      throw new TypeError("socketPath, proxy: got both, needs one of them");
    this.#own = routeSettings({ ...defaults, proxy: typeof proxy === "function" ? null : proxy });
    this.#ownText = settingsText(this.#own, this.#pems);
    this.#defaults = { ...defaults, tls: this.#own.tls };
  }

  /**
   * The route of a request.
   *
   * @throws TypeError, RangeError for an option that is wrong; what the choice of a proxy throws.
   */
  of(target: RouteTarget, options: RoutedOptions): Route {
    const { tls, fingerprints, proxy, socketPath, localHost, upgrade } = options;
    const isPlain =
      proxy === undefined &&
      tls === undefined &&
      fingerprints === undefined &&
      socketPath === undefined &&
      localHost === undefined &&
      upgrade === undefined;
    if (!isPlain) return this.#find(target, options, this.#proxyOf(target, options));
    return this.#choice === null ? this.#plainOf(target) : this.#chosenOf(target, options);
  }

  #plainOf(target: RouteTarget): Route {
    const known = this.#plain.get(target.origin);
    if (known !== undefined) return known;
    const route = routeOf(target, this.#own, OWN, false);
    keep(this.#plain, target.origin, route, ROUTES_MAX);
    return route;
  }

  /** The client's own settings, but for the proxy, which is chosen. */
  #chosenOf(target: RouteTarget, options: RoutedOptions): Route {
    const proxy = this.#proxyOf(target, options);
    if (proxy === null) return this.#plainOf(target);
    if (!(typeof proxy === "string" || proxy instanceof URL))
      return this.#find(target, options, proxy);
    const name = `${target.origin} ${String(proxy)}`;
    const known = this.#chosen.get(name);
    if (known !== undefined) return known;
    const route = this.#find(target, options, proxy);
    keep(this.#chosen, name, route, ROUTES_MAX);
    return route;
  }

  #find(target: RouteTarget, options: RoutedOptions, proxy: ProxyLike): Route {
    const { upgrade = null } = options;
    const settings = routeSettings(this.#settled(options, proxy));
    const text = settingsText(settings, this.#pems);
    const number = text === this.#ownText ? OWN : this.#numbers.of(text);
    // Without a proxy that would forward it, it may take a connection that is there.
    const isTunnelled = upgrade !== null && forwards(target, settings);
    const key = keyOf(target, number, isTunnelled);
    const known = this.#others.get(key);
    if (known !== undefined) return known;
    const route = routeOf(target, settings, number, isTunnelled);
    keep(this.#others, key, route, ROUTES_MAX);
    return route;
  }

  /** The proxy of the request, or of the client, chosen if there is a choice. A socket of the request rules out the client's. */
  #proxyOf(target: RouteTarget, options: RoutedOptions): ProxyLike {
    const hasSocket = options.socketPath !== undefined && options.socketPath !== null;
    const { proxy = hasSocket ? null : this.#defaults.proxy } = options;
    return chosenProxy(proxy, target, options);
  }

  /** The options of the request over those of the client. A proxy of the request rules out the socket of the client. */
  #settled(options: RoutedOptions, proxy: ProxyLike): ChosenOptions {
    const defaults = this.#defaults;
    const { fingerprints = defaults.fingerprints, localHost = defaults.localHost } = options;
    const isElsewhere = options.proxy !== undefined && proxy !== null;
    const { socketPath = isElsewhere ? null : defaults.socketPath } = options;
    return {
      tls: {
        ...defaults.tls,
        ...(options.tls === undefined ? {} : tlsOptions("tls", options.tls)),
      },
      ...(fingerprints === undefined ? {} : { fingerprints }),
      proxy,
      socketPath: socketPath ?? null,
      localHost: localHost ?? null,
    };
  }
}

function routeOf(
  target: RouteTarget,
  settings: RouteSettings,
  number: number,
  isTunnelled: boolean,
): Route {
  const { scheme, host, port } = target;
  const { tls, ...rest } = settings;
  const key = keyOf(target, number, isTunnelled);
  return { key, scheme, host, port, tls: scheme === "https" ? tls : null, isTunnelled, ...rest };
}

function keyOf({ origin }: RouteTarget, number: number, isTunnelled: boolean): string {
  return `${origin} ${number}${isTunnelled ? " tunnel" : ""}`;
}

/** Whether the proxy would be sent the requests themselves. */
function forwards({ scheme }: RouteTarget, { proxy }: RouteSettings): boolean {
  return scheme === "http" && (proxy?.scheme === "http" || proxy?.scheme === "https");
}

/** The proxy for a request. Asked for again at each redirect, and for each request: a choice may change. */
function chosenProxy(
  proxy: ProxyLike | ProxyChoice | undefined,
  { href }: RouteTarget,
  { upgrade }: RoutedOptions,
): ProxyLike {
  if (typeof proxy !== "function") return proxy ?? null;
  const url = new URL(upgrade === "websocket" ? href.replace(/^http/, "ws") : href);
  const chosen: ProxyLike | undefined = proxy(url);
  if (chosen !== undefined) return chosen;
  throw new TypeError("proxy(url): returned undefined, needs the URL of a proxy, or null for none");
}

/** Adds an entry, for which the oldest gives way. */
function keep<V>(map: Map<string, V>, key: string, value: V, entriesMax: number): void {
  for (const oldest of map.keys()) {
    if (map.size < entriesMax) break;
    map.delete(oldest);
  }
  map.set(key, value);
}
