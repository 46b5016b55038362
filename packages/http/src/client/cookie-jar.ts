/**
 * Cookies of a client: RFC 6265 and what browsers have made of it since (RFC 6265bis). Whether a cookie is taken, and where it goes, the library `tough-cookie` decides,
 * with the list of public suffixes. Here are the run's clock, which the library does not know; what may be kept at most; and the rules that it lacks: prefixes in
 * any case, and that plain HTTP does not replace a cookie that is `Secure`.
 */
import { wallNow } from "arborio/lowlevel";
import {
  Cookie,
  cookieCompare,
  CookieJar as Jar,
  domainMatch,
  getPublicSuffix,
  MemoryCookieStore,
  pathMatch,
} from "tough-cookie";
import { isValue } from "../protocol/characters.ts";
import type { FieldList } from "../protocol/message.ts";
import { isName } from "../web/field-names.ts";
import {
  type CookieJarState,
  cookieOfState,
  dateOf,
  type KeptCookie,
  stateOfCookie,
} from "./cookie-state.ts";
import { describe, requireCount, requireKnown } from "./require-option.ts";

/** Options of `CookieJar`. */
export interface CookieJarOptions {
  /** Cookies, all together. Default 3,000. More make those be forgotten whose site was not asked for the longest. */
  readonly cookiesMax?: number;
  /** Cookies of one site: of a domain that can be registered, with all below it. Default 180. More make those be forgotten that were not used the longest. */
  readonly siteCookiesMax?: number;
  /** Bytes of a cookie's name and value. Default 4,096: a larger cookie is not kept. */
  readonly cookieBytesMax?: number;
}

const DEFAULTS: Required<CookieJarOptions> = {
  cookiesMax: 3000,
  siteCookiesMax: 180,
  cookieBytesMax: 4096,
};

const NAMES = { cookiesMax: true, siteCookiesMax: true, cookieBytesMax: true } as const;

/** Characters of a domain or path that are taken: RFC 6265bis §5.6. */
const ATTRIBUTE_CHARACTERS_MAX = 1024;

/** So long, in milliseconds, a cookie lives at most: 400 days, RFC 6265bis §5.5. */
const LIFE_MS_MAX = 400 * 86_400_000;

/**
 * Keeps cookies for a client: `openHttpClient({ cookies: new CookieJar() })`. Several clients may share one. Cookies that cannot be read, or that their server must
 * not set, are skipped.
 *
 * Counterpart: `aiohttp.CookieJar`.
 *
 * @example Log in, and keep it
 * ```ts
 * import { CookieJar } from "@arborio/http";
 *
 * const jar = new CookieJar();
 * jar.set("session=1a2b; Path=/; Max-Age=3600", "http://example.org/login");
 * console.assert(jar.cookiesFor("http://example.org/").join() === "session=1a2b");
 * console.assert(jar.cookiesFor("http://example.com/").length === 0);
 * const again = CookieJar.from(JSON.parse(JSON.stringify(jar)));
 * console.assert(again.size === 1);
 * ```
 */
export class CookieJar {
  readonly #limits: Required<CookieJarOptions>;
  readonly #store: MemoryCookieStore = new MemoryCookieStore();
  readonly #jar: Jar = new Jar(this.#store);
  /** Cookies by site, each in the order of its last use. */
  readonly #sites: Map<string, Map<string, Cookie>> = new Map();
  #size = 0;

  /** An empty one. @throws TypeError, RangeError for wrong options. */
  constructor(options: CookieJarOptions = {}) {
    requireKnown("new CookieJar", options, NAMES);
    this.#limits = { ...DEFAULTS, ...options };
    for (const [name, value] of Object.entries(this.#limits))
      requireCount(`new CookieJar({ ${name} })`, value, 0);
  }

  /**
   * A jar with the cookies that `toJSON` gave. Those that have expired are left out.
   *
   * @throws TypeError if it is nothing that `toJSON` gave.
   */
  static from(state: CookieJarState, options?: CookieJarOptions): CookieJar {
    const jar = new CookieJar(options);
    if (typeof state !== "object" || state === null || !Array.isArray(state.cookies))
      throw new TypeError(`CookieJar.from: got ${describe(state)}, needs what jar.toJSON() gave`);
    const now = wallNow();
    for (const one of state.cookies) {
      const cookie = cookieOfState(one);
      if (expiryOf(cookie) <= now) continue;
      jar.#store.putCookie(cookie, () => {});
      jar.#keep(cookie);
    }
    return jar;
  }

  /** Cookies that are kept; some may have expired. */
  get size(): number {
    return this.#size;
  }

  /** The pairs for `Cookie` of a request there, in the order to send them: `["name=value"]`. */
  cookiesFor(url: string | URL): string[] {
    if (this.#size === 0) return [];
    const now = wallNow();
    const found = this.#jar.getCookiesSync(String(url), { expire: false });
    const pairs: string[] = [];
    for (const cookie of found.sort(cookieCompare)) {
      if (expiryOf(cookie) <= now) this.#drop(cookie);
      else {
        this.#touch(cookie);
        pairs.push(cookie.cookieString());
      }
    }
    return pairs;
  }

  /**
   * Takes a value of `Set-Cookie`, as from a response from that URL.
   *
   * @returns whether the cookie was taken, or took one away.
   */
  set(line: string, url: string | URL): boolean {
    // RFC 6265bis §5.6; and what cannot be sent would keep each request from that server.
    if (!isValue(line)) return false;
    const cookie = Cookie.parse(line);
    if (cookie === undefined || this.#isTooLarge(cookie)) return false;
    const from = new URL(url);
    if (breaksPrefix(cookie) || this.#hidesSecure(cookie, from)) return false;
    const now = wallNow();
    // The library would count from the clock of the machine, and anew at each use.
    const until = expiryFrom(cookie, now);
    cookie.expires = until === Infinity ? "Infinity" : dateOf(Math.min(until, now + LIFE_MS_MAX));
    const kept = this.#jar.setCookieSync(cookie, from, { ignoreError: true, now: dateOf(now) });
    if (kept === undefined) return false;
    if (until <= now) this.#drop(kept);
    else this.#keep(kept);
    return true;
  }

  /** @internal Takes all `Set-Cookie` of a response. */
  take(fields: FieldList, url: string): void {
    for (let at = 0; at < fields.length; at += 2) {
      if (isName(fields[at] as string, "set-cookie")) this.set(fields[at + 1] as string, url);
    }
  }

  /** The cookies that are kept, those too that have expired. */
  [Symbol.iterator](): Iterator<KeptCookie> {
    return this.toJSON().cookies[Symbol.iterator]();
  }

  /** Forgets the cookies for which `which` says so; all, without it. */
  clear(which: (cookie: KeptCookie) => boolean = () => true): void {
    for (const site of this.#sites.values()) {
      for (const cookie of site.values()) if (which(stateOfCookie(cookie))) this.#drop(cookie);
    }
  }

  /**
   * What is kept, for `JSON.stringify` and `CookieJar.from`. It opens what the cookies open: a file of it is for its owner alone (`mode: 0o600`).
   */
  toJSON(): CookieJarState {
    const cookies = [...this.#sites.values()].flatMap((site) => [...site.values()]);
    return { version: 1, cookies: cookies.map(stateOfCookie) };
  }

  #keep(cookie: Cookie): void {
    const site = siteOf(cookie);
    const bucket = this.#sites.get(site) ?? new Map<string, Cookie>();
    const key = keyOf(cookie);
    if (!bucket.delete(key)) this.#size += 1;
    bucket.set(key, cookie);
    this.#sites.delete(site);
    this.#sites.set(site, bucket);
    if (bucket.size > this.#limits.siteCookiesMax) this.#dropFirst(bucket);
    if (this.#size <= this.#limits.cookiesMax) return;
    const [oldest] = this.#sites.values();
    if (oldest !== undefined) this.#dropFirst(oldest);
  }

  #touch(cookie: Cookie): void {
    const site = siteOf(cookie);
    const bucket = this.#sites.get(site) as Map<string, Cookie>;
    this.#sites.delete(site);
    this.#sites.set(site, bucket);
    bucket.delete(keyOf(cookie));
    bucket.set(keyOf(cookie), cookie);
  }

  #dropFirst(bucket: ReadonlyMap<string, Cookie>): void {
    const [first] = bucket.values();
    if (first !== undefined) this.#drop(first);
  }

  #drop(cookie: Cookie): void {
    this.#store.removeCookie(cookie.domain ?? "", cookie.path ?? "", cookie.key, () => {});
    const site = siteOf(cookie);
    const bucket = this.#sites.get(site);
    if (bucket?.delete(keyOf(cookie)) !== true) return;
    this.#size -= 1;
    if (bucket.size === 0) this.#sites.delete(site);
  }

  #isTooLarge({ key, value, domain, path }: Cookie): boolean {
    return (
      key.length + value.length > this.#limits.cookieBytesMax ||
      (domain ?? "").length > ATTRIBUTE_CHARACTERS_MAX ||
      (path ?? "").length > ATTRIBUTE_CHARACTERS_MAX
    );
  }

  /** Whether it would take the place of a cookie that only HTTPS may set: RFC 6265bis §5.7. */
  #hidesSecure(cookie: Cookie, { protocol, hostname, pathname }: URL): boolean {
    if (protocol === "https:" || cookie.secure) return false;
    const domain = cookie.domain ?? hostname;
    const path = cookie.path ?? pathname;
    const site = this.#sites.get(siteOfDomain(domain))?.values() ?? [];
    for (const kept of site) {
      if (!kept.secure || kept.key !== cookie.key) continue;
      const other = kept.domain ?? "";
      const isNear = domainMatch(domain, other) === true || domainMatch(other, domain) === true;
      if (isNear && pathMatch(path, kept.path ?? "/")) return true;
    }
    return false;
  }
}

/** Clients take prefixes in any case, since servers do. */
function breaksPrefix({ key, secure, domain, path }: Cookie): boolean {
  const name = key.toLowerCase();
  if (name.startsWith("__host-")) return !secure || domain !== null || path !== "/";
  return name.startsWith("__secure-") && !secure;
}

/** When it expires; `Infinity`: with the session. `Max-Age` counts more than `Expires`. */
function expiryFrom(cookie: Cookie, now: number): number {
  const { maxAge } = cookie;
  if (typeof maxAge === "number") return maxAge <= 0 ? 0 : now + maxAge * 1000;
  return maxAge === null ? expiryOf(cookie) : maxAge === "Infinity" ? Infinity : 0;
}

function expiryOf({ expires }: Cookie): number {
  return expires === null || typeof expires === "string" ? Infinity : expires.getTime();
}

function siteOf(cookie: Cookie): string {
  return siteOfDomain(cookie.domain ?? "");
}

function siteOfDomain(domain: string): string {
  return getPublicSuffix(domain, { allowSpecialUseDomain: true, ignoreError: true }) ?? domain;
}

function keyOf({ domain, path, key }: Cookie): string {
  return JSON.stringify([domain, path, key]);
}
