import { base64 } from "./base64.ts";
import { isToken } from "./characters.ts";
import { quoted } from "./quoted.ts";

const TOKEN68 = /^[0-9A-Za-z\-._~+/]+=*$/;
// oxlint-disable-next-line no-control-regex -- what RFC 7617 §2 forbids
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * The value of `Authorization` or `Proxy-Authorization` for user and password as they are: RFC 7617. In UTF-8 and
 * composed (NFC), as all current servers and browsers have it.
 *
 * @throws TypeError if the user's name has a colon, or either has control characters or half of a surrogate pair. What was given is not
 *   shown.
 *
 * @example The one of the RFC
 * ```ts
 * import { basicCredentials } from "@arborio/http/protocol";
 *
 * console.assert(basicCredentials("Aladdin", "open sesame") === "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
 * ```
 */
export function basicCredentials(user: string, password: string): string {
  if (user.includes(":")) {
    throw new TypeError(
      "basicCredentials: the user's name has a colon, which would end it: a name without was expected",
    );
  }
  for (const [what, text] of [
    ["the user's name", user],
    ["the password", password],
  ] as const) {
    if (CONTROL.test(text) || !text.isWellFormed()) {
      throw new TypeError(
        `basicCredentials: ${what} has control characters or half of a surrogate pair: text without was expected`,
      );
    }
  }
  return `Basic ${base64(new TextEncoder().encode(`${user}:${password}`.normalize("NFC")))}`;
}

/**
 * The value of `Authorization` for a token, as of OAuth: RFC 6750 §2.1.
 *
 * @throws TypeError if it is not letters, digits and `-._~+/`, with `=` at its end at most. It is not shown.
 */
export function bearerCredentials(token: string): string {
  return `Bearer ${requireToken68("bearerCredentials", token)}`;
}

/**
 * The value of `Authorization` for any scheme: RFC 9110 §11.4.
 *
 * @param said what stands alone behind the scheme, or parameters, whose values are written as quoted strings.
 * @throws TypeError if a part cannot be written. Values are not shown.
 */
export function writeCredentials(
  scheme: string,
  said: string | Readonly<Record<string, string>>,
): string {
  requireToken("the scheme", scheme);
  if (typeof said === "string") return `${scheme} ${requireToken68("writeCredentials", said)}`;
  const parameters = Object.entries(said).map(
    ([name, value]) => `${requireToken("the name of a parameter", name)}=${quoted(value)}`,
  );
  return `${scheme} ${parameters.join(", ")}`;
}

function requireToken(what: string, text: string): string {
  if (isToken(text)) return text;
  throw new TypeError(
    `writeCredentials: ${what} is no token: letters, digits and !#$%&'*+-.^_\`|~ were expected`,
  );
}

function requireToken68(where: string, text: string): string {
  if (TOKEN68.test(text)) return text;
  throw new TypeError(
    `${where}: got a text of ${text.length} characters with others than letters, digits and -._~+/, and = at its end; needs a token without`,
  );
}
