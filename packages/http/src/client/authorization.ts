import { basicCredentials, bearerCredentials } from "../protocol/credentials.ts";
import type { Auth, Credentials } from "./client-options.ts";
import { describe } from "./require-option.ts";

/** The value of `Authorization`. @throws TypeError if they cannot be written; they are not shown. */
export function authorizationOf(credentials: Credentials): string {
  if ("token" in credentials) return bearerCredentials(credentials.token);
  return basicCredentials(credentials.user, credentials.password);
}

/** @throws TypeError if it is no `auth`. */
export function requireAuth(where: string, auth: unknown): void {
  if (auth === null || typeof auth === "function") return;
  const { user, password, token } = (typeof auth === "object" ? auth : {}) as Record<
    string,
    unknown
  >;
  const isBasic = typeof user === "string" && typeof password === "string" && token === undefined;
  const isToken = typeof token === "string" && user === undefined && password === undefined;
  if (!isBasic && !isToken) {
    throw new TypeError(
      `${where}: got ${typeof auth === "string" ? "text" : describe(auth)}, needs { user, password }, { token }, a function that gives one of them for a URL, or null`,
    );
  }
  authorizationOf(auth as Credentials);
}

/** The value of `Authorization` for a URL; `null`: none. @throws TypeError if the function gives no credentials. */
export function authorizationFor(where: string, auth: Auth, url: string): string | null {
  if (typeof auth !== "function") return authorizationOf(auth);
  const credentials = auth(url);
  if (credentials === null) return null;
  if (typeof credentials === "function")
    throw new TypeError(`${where}: the function gave a function, needs credentials or null`);
  requireAuth(where, credentials);
  return authorizationOf(credentials);
}
