import type { FieldList } from "../protocol/message.ts";
import { firstField } from "../web/field-names.ts";
import { HttpRequest } from "../web/http-request.ts";
import type { BodySource } from "../web/payload.ts";
import { authorizationFor, authorizationOf } from "./authorization.ts";
import { checkFetchOptions, normalizedMethod } from "./check-fetch-options.ts";
import type { Auth, FetchOptions, HttpClientOptions } from "./client-options.ts";
import { AUTHORIZATION, authorized, ClientRequest } from "./client-request.ts";
import { acceptEncoding } from "./decoded-body.ts";
import { withCookies } from "./cookie-field.ts";
import { searchParams } from "./query.ts";
import { contentOfOptions, NO_CONTENT, type RequestContent } from "./request-content.ts";
import { ORIGIN_FIELDS, type Reauthorize } from "./redirected-request.ts";
import { fieldsWithout, givenFields, mergedFields } from "./request-fields.ts";
import { type RequestUrl, RequestUrls, requireBase, withQuery } from "./request-url.ts";

/** What every request says unless told otherwise. */
const DEFAULT_FIELDS: FieldList = ["user-agent", "arborio", "accept", "*/*"];

/** Options of a request that has none. */
const NO_OPTIONS: FetchOptions = Object.freeze({});

/** Parts are of what is sent, and of what is compressed nobody wants a part: https://fetch.spec.whatwg.org/#http-network-or-cache-fetch */
const WITHOUT_CODING: FieldList = ["accept-encoding", "identity"];
const ACCEPT_ENCODING: ReadonlySet<string> = new Set(["accept-encoding"]);

/** What of the web's cache modes other caches can be told: https://fetch.spec.whatwg.org/#http-network-or-cache-fetch */
const CACHE_CONTROL: Readonly<Partial<Record<Request["cache"], string>>> = {
  "no-cache": "max-age=0",
  "no-store": "no-cache",
  reload: "no-cache",
};

/** Makes requests of what `fetch` is given, and of what holds for all requests of a client. */
export class RequestBuilder {
  readonly #urls: RequestUrls;
  readonly #fields: FieldList;
  /** The fields for other origins than that of the base: without credentials. */
  readonly #fieldsElsewhere: FieldList;
  readonly #auth: Auth | null;
  /** The origin that credentials of the client are for; `null`: any. */
  readonly #home: string | null;
  /** The fields with credentials that are always the same. */
  readonly #authorizedFields: FieldList;
  readonly #isTraced: boolean;
  /** Whether `Accept-Encoding` is there because bodies are decompressed, and for no other reason. */
  readonly #acceptsForDecoding: boolean;

  /** @throws TypeError if something of it is wrong. */
  constructor(where: string, options: HttpClientOptions) {
    const { base, headers, auth = null, decompress, trace } = options;
    this.#isTraced = trace !== undefined;
    const url = base === undefined ? undefined : requireBase(where, base);
    this.#urls = new RequestUrls(url?.href);
    const defaults =
      decompress === false
        ? DEFAULT_FIELDS
        : [...DEFAULT_FIELDS, "accept-encoding", acceptEncoding()];
    const given = headers === undefined ? null : givenFields(`${where}({ headers })`, headers);
    const fields = given === null ? defaults : mergedFields(defaults, given);
    this.#acceptsForDecoding = given?.names.has("accept-encoding") !== true;
    this.#fields = Object.freeze(fields);
    this.#auth = auth;
    this.#home = url?.origin ?? null;
    this.#fieldsElsewhere =
      url === undefined ? fields : Object.freeze(fieldsWithout(fields, ORIGIN_FIELDS));
    this.#authorizedFields =
      auth === null || typeof auth === "function"
        ? fields
        : Object.freeze(authorized(fields, authorizationOf(auth)));
  }

  /** @throws TypeError, RangeError if it is no request that can be sent. */
  build(input: string | URL | Request, options: FetchOptions = NO_OPTIONS): ClientRequest {
    if (options === NO_OPTIONS && (typeof input === "string" || input instanceof URL)) {
      const target = this.#urls.parse(input);
      return this.#request("GET", target, this.#defaultFields(target), NO_CONTENT, options);
    }
    checkFetchOptions(options);
    return input instanceof Request
      ? this.#ofRequest(input, options)
      : this.#ofOptions(this.#urls.parse(input), options);
  }

  /**
   * The fields of a request that follows upon another: with the credentials of the new URL, or what a function gives for it. Others stay
   * as they are.
   */
  readonly reauthorized: Reauthorize = (fields, target, { options, target: before }) => {
    if (target.credentials !== null) return authorized(fields, authorizationOf(target.credentials));
    const auth = options.auth === undefined ? this.#authFor(target, options) : options.auth;
    if (typeof auth !== "function" || hasOwnAuthorization(options)) return fields;
    const authorization = authorizationFor("fetch({ auth })", auth, target.href);
    if (authorization !== null) return authorized(fields, authorization);
    return before.credentials === null ? fieldsWithout(fields, AUTHORIZATION) : fields;
  };

  #ofRequest(input: Request, options: FetchOptions): ClientRequest {
    const { method, headers, redirect, signal } = input;
    const hasBody = options.body !== undefined || options.json !== undefined || options.form;
    const body = hasBody ? null : bodyOf(input);
    const all: FetchOptions = {
      method,
      redirect,
      signal,
      integrity: input.integrity ?? "",
      cache: input.cache ?? "default",
      credentials: input.credentials ?? "same-origin",
      ...(body === null ? {} : { body }),
      ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
      headers: options.headers ?? headers,
    };
    checkFetchOptions(all);
    return this.#ofOptions(this.#urls.parse(input.url), all);
  }

  #ofOptions(url: RequestUrl, options: FetchOptions): ClientRequest {
    const { method: asked, headers, query, cookies, cache } = options;
    const target =
      query === undefined ? url : withQuery(url, searchParams("fetch({ query })", query));
    let content = contentOfOptions("fetch", options);
    if (asked === undefined && content !== null && content.payload !== null) {
      throw new TypeError('fetch: got a body and no method, needs one: { method: "POST" }');
    }
    if (options.trailers !== undefined && (content === null || content.payload === null)) {
      throw new TypeError(
        'fetch({ trailers }): got no body that they could follow, needs one; { body: "" } is one',
      );
    }
    const method = asked === undefined ? "GET" : normalizedMethod("fetch", asked);
    if (method === "TRACE" && content !== null && content.payload !== null)
      throw new TypeError("fetch: got a body for TRACE, needs none (RFC 9110 §9.3.8)");
    const given = headers === undefined ? null : givenFields("fetch({ headers })", headers);
    const isOwn = given?.names.has("authorization") === true;
    requireOneAuthorization(isOwn, options);
    let fields = isOwn
      ? this.#isHome(target)
        ? this.#fields
        : this.#fieldsElsewhere
      : this.#fieldsFor(target, options);
    if (options.decompress === false && this.#acceptsForDecoding)
      fields = fieldsWithout(fields, ACCEPT_ENCODING);
    if (given !== null) {
      fields = mergedFields(fields, given);
      content = withLength(content, given.contentLength);
      if (given.names.has("range") && !given.names.has("accept-encoding"))
        fields = [...fieldsWithout(fields, ACCEPT_ENCODING), ...WITHOUT_CODING];
    }
    if (content !== null && content.type !== "") fields = withType(fields, content.type);
    if (cookies !== undefined) fields = withCookies(fields, cookies);
    const control = cache === undefined ? undefined : CACHE_CONTROL[cache];
    if (control !== undefined && given?.names.has("cache-control") !== true)
      fields = [...fields, "cache-control", control];
    return this.#request(method, target, fields, content ?? NO_CONTENT, options);
  }

  #request(
    method: string,
    target: RequestUrl,
    fields: FieldList,
    content: RequestContent,
    options: FetchOptions,
  ): ClientRequest {
    const { payload, payloadBytes, isReplayable } = content;
    return new ClientRequest({
      method,
      target,
      fields,
      payload,
      payloadBytes,
      isReplayable,
      options,
      ...(this.#isTraced ? { sends: { count: 0 } } : {}),
    });
  }

  /** The client's fields, with the credentials that the options say. */
  #fieldsFor(target: RequestUrl, options: FetchOptions): FieldList {
    const { auth } = options;
    if (auth === undefined && options.credentials !== "omit") return this.#defaultFields(target);
    const fields = this.#isHome(target) ? this.#fields : this.#fieldsElsewhere;
    const authorization =
      target.credentials !== null
        ? authorizationOf(target.credentials)
        : auth === undefined || auth === null
          ? null
          : authorizationFor("fetch({ auth })", auth, target.href);
    return authorization === null ? fields : authorized(fields, authorization);
  }

  #defaultFields(target: RequestUrl): FieldList {
    const fields = this.#isHome(target) ? this.#fields : this.#fieldsElsewhere;
    if (target.credentials !== null) return authorized(fields, authorizationOf(target.credentials));
    const auth = this.#authFor(target, NO_OPTIONS);
    if (auth === null) return fields;
    if (typeof auth !== "function") return this.#authorizedFields;
    const authorization = authorizationFor("openHttpClient({ auth })", auth, target.href);
    return authorization === null ? fields : authorized(fields, authorization);
  }

  #isHome({ origin }: RequestUrl): boolean {
    return this.#home === null || origin === this.#home;
  }

  /** The client's credentials, if they are for that URL. */
  #authFor(target: RequestUrl, { credentials }: FetchOptions): Auth | null {
    if (credentials === "omit") return null;
    return this.#isHome(target) ? this.#auth : null;
  }
}

function hasOwnAuthorization({ headers }: FetchOptions): boolean {
  return (
    headers !== undefined && givenFields("fetch({ headers })", headers).names.has("authorization")
  );
}

/** The body, without a web stream in between where it is one of ours. @throws TypeError if it was read. */
function bodyOf(request: Request): BodySource {
  if (request instanceof HttpRequest) return request.bodyStream;
  const { body, bodyUsed } = request;
  if (!bodyUsed && body?.locked !== true) return body;
  throw new TypeError(
    "fetch: got a Request whose body was read already, or is locked; send it once, or a clone() of it",
  );
}

/** A body that has no length of its own has the one that was said to be. */
function withLength(
  content: RequestContent | null,
  contentLength: number | undefined,
): RequestContent | null {
  if (content === null || contentLength === undefined || content.payloadBytes !== undefined)
    return content;
  const { payload } = content;
  if (payload === null || typeof payload === "string" || payload instanceof Uint8Array)
    return content;
  return { ...content, payloadBytes: contentLength };
}

function requireOneAuthorization(hasField: boolean, { auth }: FetchOptions): void {
  if (!hasField || auth === undefined || auth === null) return;
  throw new TypeError(
    "fetch({ auth }): got an Authorization among the headers besides, needs one of them",
  );
}

/** With the type of the body, unless there is one: but a boundary has to be the body's own. */
function withType(fields: FieldList, type: string): FieldList {
  if (!type.startsWith("multipart/")) {
    return firstField(fields, "content-type") === null ? [...fields, "content-type", type] : fields;
  }
  return [...fieldsWithout(fields, new Set(["content-type"])), "content-type", type];
}
