import { ClientRequest } from "./client-request.ts";
import { withJarCookies } from "./cookie-field.ts";
import type { CookieJar } from "./cookie-jar.ts";
import type { Next } from "./middleware.ts";

/** Adds the cookies of a jar to each request that is sent, and takes those of each response. */
export function sendCookies(jar: CookieJar, next: Next): Next {
  return async (request) => {
    if (request.options.credentials === "omit") return await next(request);
    const { url, fields } = request;
    const pairs = jar.cookiesFor(url);
    const sent =
      pairs.length === 0
        ? request
        : new ClientRequest({ ...request.parts, fields: withJarCookies(fields, pairs) });
    const response = await next(sent);
    jar.take(response.fields, url);
    return response;
  };
}
