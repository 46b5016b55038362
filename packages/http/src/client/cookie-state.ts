import { Cookie } from "tough-cookie";
import { isValue } from "../protocol/characters.ts";
import { describe } from "./require-option.ts";

/** A cookie as a jar keeps it. */
export interface KeptCookie {
  /** Its name. */
  readonly name: string;
  /** Its value, as it is sent: nothing is decoded. */
  readonly value: string;
  /** Of the server that has set it; with `hostOnly` false also for those below it. */
  readonly domain: string;
  /** It goes to this path, and what is below it. */
  readonly path: string;
  /** Whether it goes to `domain` alone. */
  readonly hostOnly: boolean;
  /** Whether it goes over HTTPS alone. */
  readonly secure: boolean;
  /** Whether the server wanted it to be out of reach for the scripts of pages. */
  readonly httpOnly: boolean;
  /** As the server said: a client that is no browser has no sites. */
  readonly sameSite: string | null;
  /** Moment, in milliseconds since 1970; `null`: it ends with the session. */
  readonly expiresAt: number | null;
  /** Moment, in milliseconds since 1970: older ones are sent first. */
  readonly createdAt: number;
}

/** What `jar.toJSON` gives. */
export interface CookieJarState {
  /** Of this form. */
  readonly version: 1;
  /** All of them, by site, those that were used last behind. */
  readonly cookies: readonly KeptCookie[];
}

/** A cookie as it is written down. */
export function stateOfCookie(cookie: Cookie): KeptCookie {
  const { key, value, domain, path, hostOnly, secure, httpOnly, sameSite } = cookie;
  const { expires, creation } = cookie;
  return {
    name: key,
    value,
    domain: domain ?? "",
    path: path ?? "/",
    hostOnly: hostOnly === true,
    secure,
    httpOnly,
    sameSite: sameSite ?? null,
    expiresAt: millisecondsOf(expires),
    createdAt: millisecondsOf(creation) ?? 0,
  };
}

/** The other way round. @throws TypeError if it is no such cookie; its value is not shown. */
export function cookieOfState(state: KeptCookie): Cookie {
  const where = "CookieJar.from: a cookie's";
  if (typeof state !== "object" || state === null)
    throw new TypeError(`CookieJar.from: got ${describe(state)}, needs a cookie`);
  const { name, value, domain, path, hostOnly, secure, httpOnly, sameSite } = state;
  const { expiresAt, createdAt } = state;
  for (const [key, text] of Object.entries({ name, value, domain, path })) {
    if (typeof text !== "string") throw new TypeError(`${where} ${key}: needs text`);
  }
  if (!isPart(name) || name === "" || name.includes("=") || !isPart(value))
    throw new TypeError(`${where} name or value: has characters that no cookie can have`);
  if (!path.startsWith("/")) throw new TypeError(`${where} path: needs one from "/" on`);
  for (const [key, flag] of Object.entries({ hostOnly, secure, httpOnly })) {
    if (typeof flag !== "boolean") throw new TypeError(`${where} ${key}: needs true or false`);
  }
  for (const [key, moment] of Object.entries({ expiresAt, createdAt })) {
    if (moment !== null && !Number.isSafeInteger(moment))
      throw new TypeError(`${where} ${key}: needs milliseconds since 1970`);
  }
  return new Cookie({
    key: name,
    value,
    domain,
    path,
    hostOnly,
    secure,
    httpOnly,
    sameSite: typeof sameSite === "string" ? sameSite : undefined,
    expires: expiresAt === null ? "Infinity" : dateOf(expiresAt),
    creation: dateOf(createdAt),
  });
}

/** Servers set names that are no tokens, as `a[b]`, and clients send them back: RFC 6265 §5.2. */
function isPart(text: string): boolean {
  return isValue(text) && !text.includes(";") && text.trim() === text;
}

// oxlint-disable-next-line no-restricted-globals -- what the library takes for a moment; which one it is, the run's clock says
export const dateOf = (ms: number): Date => new Date(ms);

function millisecondsOf(moment: Cookie["expires"]): number | null {
  return moment === null || typeof moment === "string" ? null : moment.getTime();
}
