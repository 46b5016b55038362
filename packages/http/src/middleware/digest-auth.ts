import { drop } from "../client/follow-redirects.ts";
import type { ClientRequest } from "../client/client-request.ts";
import type { ClientResponse } from "../client/client-response.ts";
import type { Middleware, Next } from "../client/middleware.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { parseAuthenticationInfo, parseChallenges } from "../protocol/challenges.ts";
import { chooseDigest, type DigestChallenge } from "../protocol/digest-challenge.ts";
import { firstField, isName } from "../web/field-names.ts";
import { bodyHash } from "./digest/body-hash.ts";
import { DigestSpace } from "./digest/digest-space.ts";
import { describe, requireKnown, requireList } from "../client/require-option.ts";

/** Options of `digestAuth`. */
export interface DigestAuthOptions {
  /** Name of the user. */
  readonly user: string;
  /** Is never sent. */
  readonly password: string;
  /**
   * Origins whose challenges are answered: `["https://example.org"]`. Default: that of the first request that passes. A redirect to any other is
   * answered nothing, since what answers a challenge lets passwords be tried out.
   */
  readonly origins?: readonly string[];
  /** Whether bodies are protected where the server offers it (`auth-int`); else where it demands it. Default `false`: few servers have it right. */
  readonly protectBody?: boolean;
}

const STATUS_UNAUTHORIZED = 401;

/** Realms of one origin, and origins, that are known at once. */
const SPACES_MAX = 64;

/** Answers to challenges for one request: one, and one more if the nonce of the first was used up. */
const ANSWERS_MAX = 2;

const NAMES: Readonly<Record<keyof DigestAuthOptions, true>> = {
  user: true,
  password: true,
  origins: true,
  protectBody: true,
};

/**
 * Middleware that answers challenges of the scheme Digest (RFC 7616), which proves that the password is known and does not tell it. The first
 * request of a protection space is sent twice; later ones have the answer with them, for as long as the server takes the nonce; a nonce that
 * is stale, or that the server replaces (`nextnonce`), makes no error. MD5, SHA-1, SHA-256 and SHA-512, each with `-sess`; the strongest that
 * is offered.
 *
 * Only for the origins that it is told, or the first that is asked. A request that has an `Authorization` already passes as it is, and so does a
 * challenge of any other scheme. If the password is wrong, the response is the 401.
 *
 * A body that can be sent only once (a stream) needs an earlier request, so that the nonce is known; otherwise, if it is challenged, the
 * request fails with the reason `"request-body"`. Digest with proxies is not supported.
 *
 * @throws TypeError for wrong options.
 *
 * Counterpart: `aiohttp.DigestAuthMiddleware`, `curl --digest`.
 *
 * @example
 * ```ts
 * import { run } from "arborio";
 * import { digestAuth, HttpResponse, openHttpClient, openServer } from "@arborio/http";
 *
 * const challenge = 'Digest realm="a", nonce="x", qop="auth", algorithm=SHA-256';
 * await run(async () => {
 *   await using server = await openServer(
 *     ({ headers }) =>
 *       headers.has("authorization")
 *         ? new HttpResponse(headers.get("authorization"))
 *         : new HttpResponse("", { status: 401, headers: { "www-authenticate": challenge } }),
 *     { port: 0 },
 *   );
 *   const middleware = [digestAuth({ user: "Mufasa", password: "Circle of Life" })];
 *   await using client = openHttpClient({ base: server.url, middleware });
 *   const response = await client.request("/dir/index.html");
 *   console.assert(response.text().startsWith('Digest username="Mufasa", realm="a"'));
 * });
 * ```
 */
export function digestAuth(options: DigestAuthOptions): Middleware {
  requireKnown("digestAuth", options, NAMES);
  const digesting = new Digesting(options);
  return (request, next) => digesting.handle(request, next);
}

class Digesting {
  readonly #identity: { readonly user: string; readonly password: string };
  readonly #protectBody: boolean;
  #origins: ReadonlySet<string> | null;
  /** By origin and realm; the one that was of use last is the last. */
  readonly #spaces: Map<string, DigestSpace> = new Map();
  #learnt = 0;

  constructor({ user, password, origins, protectBody = false }: DigestAuthOptions) {
    if (typeof user !== "string" || typeof password !== "string")
      throw new TypeError("digestAuth({ user, password }): got something else, needs two texts");
    if (typeof protectBody !== "boolean")
      throw new TypeError(
        `digestAuth({ protectBody }): got ${describe(protectBody)}, needs true or false`,
      );
    if (origins !== undefined) requireList("digestAuth({ origins })", origins);
    this.#identity = { user, password };
    this.#protectBody = protectBody;
    this.#origins = origins === undefined ? null : new Set(origins.map(requireOrigin));
  }

  async handle(request: ClientRequest, next: Next): Promise<ClientResponse> {
    this.#origins ??= new Set([request.origin]);
    const isOurs = this.#origins.has(request.origin);
    if (!isOurs || firstField(request.fields, "authorization") !== null) return await next(request);
    let space = this.#spaceOf(request);
    for (let answers = 0; ; answers++) {
      const sent = space === null ? request : await this.#answered(request, space);
      const response = await next(sent);
      const challenge = response.status === STATUS_UNAUTHORIZED ? challengeOf(response) : null;
      if (challenge === null || !mayAnswer(challenge, space, answers)) {
        if (space !== null) this.#learn(request, response, space);
        return response;
      }
      requireReplayable(request, response);
      await drop(response);
      space = new DigestSpace(request.origin, challenge, ++this.#learnt);
    }
  }

  async #answered(request: ClientRequest, space: DigestSpace): Promise<ClientRequest> {
    const { qops, hash } = space.challenge;
    const isWanted = this.#protectBody || !qops.includes("auth");
    let hashed: Uint8Array | null = null;
    if (qops.includes("auth-int") && isWanted) {
      requireHashable(request);
      hashed = await bodyHash(request, hash);
    }
    const authorization = space.answer(request, this.#identity, hashed);
    return request.with({ headers: { authorization } });
  }

  /** What the server made of an answer. */
  #learn({ origin }: ClientRequest, response: ClientResponse, space: DigestSpace): void {
    const key = JSON.stringify([origin, space.challenge.realm]);
    const known = this.#spaces.get(key);
    if (response.status === STATUS_UNAUTHORIZED) {
      if (known !== undefined && known.order <= space.order) this.#spaces.delete(key);
      return;
    }
    const info = firstField(response.fields, "authentication-info");
    const nextNonce = info === null ? undefined : parseAuthenticationInfo(info)?.get("nextnonce");
    const news = nextNonce === undefined ? space : space.withNonce(nextNonce, ++this.#learnt);
    this.#spaces.delete(key);
    // Of requests at once, one may have got a newer nonce meanwhile.
    this.#spaces.set(key, known !== undefined && known.order > news.order ? known : news);
    if (this.#spaces.size <= SPACES_MAX) return;
    for (const oldest of this.#spaces.keys()) {
      this.#spaces.delete(oldest);
      break;
    }
  }

  #spaceOf(request: ClientRequest): DigestSpace | null {
    let last: DigestSpace | null = null;
    for (const space of this.#spaces.values()) if (space.covers(request)) last = space;
    return last;
  }
}

function challengeOf({ fields }: ClientResponse): DigestChallenge | null {
  const values: string[] = [];
  for (let at = 0; at < fields.length; at += 2)
    if (isName(fields[at] as string, "www-authenticate")) values.push(fields[at + 1] as string);
  return chooseDigest(parseChallenges(values));
}

/**
 * Whether another answer can be right: there was none yet; or the nonce is another one, and was used up, or known from an earlier request, or
 * it is another realm. A server that has forgotten its nonces need not know that they were any.
 */
function mayAnswer(
  { isStale, nonce, realm }: DigestChallenge,
  tried: DigestSpace | null,
  answers: number,
): boolean {
  if (tried === null) return true;
  if (answers >= ANSWERS_MAX) return false;
  if (realm !== tried.challenge.realm) return true;
  return nonce !== tried.challenge.nonce && (isStale || answers === 0);
}

function requireReplayable(request: ClientRequest, response: ClientResponse): void {
  if (request.isReplayable) return;
  response.close();
  const { method, url } = request;
  throw new RequestFailedError(
    "the server wants Digest (401), for which the body has to be sent again, and a stream can be sent only once; give the body as text, bytes, a form or a Blob, or make a request without a body before, so that the nonce is known",
    { phase: "head", reason: "request-body", method, url },
  );
}

function requireHashable({ method, url, isReplayable, options }: ClientRequest): void {
  if (isReplayable && options.compress === undefined) return;
  const what = isReplayable
    ? "a body that is compressed while it is sent cannot be digested before; compress it before"
    : "a stream cannot be digested before it is sent; give the body as text, bytes, a form or a Blob";
  throw new RequestFailedError(`the server wants the body protected (auth-int), and ${what}`, {
    phase: "send",
    reason: "request-body",
    method,
    url,
  });
}

function requireOrigin(origin: string): string {
  if (URL.canParse(origin)) {
    const url = new URL(origin);
    if (url.href === `${url.origin}/`) return url.origin;
  }
  throw new TypeError(
    `digestAuth({ origins }): got ${JSON.stringify(origin)}, needs origins: "https://example.org"`,
  );
}
