import { withSignal } from "arborio";
import type { ByteReceiveStream } from "arborio/streams";
import { HttpRequest } from "../web/http-request.ts";
import type { Payload } from "../web/payload.ts";
import { bodyAtHand } from "./body-at-hand.ts";
import type { RequestBuilder } from "./build-request.ts";
import type { FetchOptions, HttpClientOptions } from "./client-options.ts";
import { ClientRequest } from "./client-request.ts";
import { ClientResponse } from "./client-response.ts";
import { followRedirects } from "./follow-redirects.ts";
import type { Middleware, Next } from "./middleware.ts";
import { describe } from "./require-option.ts";
import { statusErrorOf } from "./status-error.ts";

/** What there is of a client below `fetch`. */
export interface FetchingParts {
  readonly builder: RequestBuilder;
  readonly options: HttpClientOptions;
  readonly redirectsMax: number;
  /** Sends to the network. */
  readonly last: Next;
  readonly onRedirect: ((response: ClientResponse, next: ClientRequest) => void) | null;
}

/** From what `fetch` is given to the response that it gives: middleware, redirects, and the status. */
export class Fetching {
  readonly #parts: FetchingParts;
  readonly #last: Next;
  readonly #send: Next;
  /** Streams that whoever sends has got, and closes. */
  readonly #taken: WeakSet<ByteReceiveStream> = new WeakSet();

  constructor(parts: FetchingParts) {
    this.#parts = parts;
    this.#last = (request) => {
      if (isStream(request.payload)) this.#taken.add(request.payload);
      return parts.last(request);
    };
    this.#send = composed(parts.options.middleware ?? [], this.#last);
  }

  async fetch(
    input: string | URL | Request,
    options: FetchOptions | undefined,
  ): Promise<ClientResponse> {
    const request = this.#parts.builder.build(input, options);
    const { signal } = request.options;
    const isPeeked = isOfPlatform(input);
    try {
      if (signal !== undefined && signal !== null)
        return await withSignal(signal, () => this.#run(request, isPeeked));
      return await this.#run(request, isPeeked);
    } catch (error) {
      closeStream(request.payload);
      throw error;
    }
  }

  async #run(given: ClientRequest, isPeeked: boolean): Promise<ClientResponse> {
    const request = isPeeked ? await peeked(given) : given;
    const { payload } = request;
    const response = await this.#sendOf(request.options)(request);
    // Middleware has answered by itself, or sent something else.
    if (isStream(payload) && !this.#taken.has(payload)) closeStream(payload);
    return this.#isPlain(response, request) ? response : await this.#finish(request, response);
  }

  #sendOf({ middleware }: FetchOptions): Next {
    return middleware === undefined ? this.#send : composed(middleware, this.#last);
  }

  /** Whether there is nothing to be done with it. */
  #isPlain({ status }: ClientResponse, { options }: ClientRequest): boolean {
    return status < 300 && typeof this.#raises(options) !== "function";
  }

  #raises({ raiseForStatus }: FetchOptions): HttpClientOptions["raiseForStatus"] {
    return raiseForStatus ?? this.#parts.options.raiseForStatus;
  }

  async #finish(request: ClientRequest, first: ClientResponse): Promise<ClientResponse> {
    const { options, builder, onRedirect } = this.#parts;
    const mode = request.options.redirect ?? options.redirect ?? "follow";
    let response = first;
    if (mode !== "manual") {
      response = await followRedirects(request, response, {
        mode,
        redirectsMax: request.options.redirectsMax ?? this.#parts.redirectsMax,
        send: this.#sendOf(request.options),
        reauthorized: builder.reauthorized,
        onRedirect,
      });
    }
    const raises = this.#raises(request.options) ?? false;
    if (raises === false) return response;
    if (raises === true ? response.status < 400 : !decided(raises, response)) return response;
    throw await statusErrorOf(response);
  }
}

/** A function that throws leaves no response behind. */
function decided(raises: (response: ClientResponse) => boolean, response: ClientResponse): boolean {
  try {
    return raises(response);
  } catch (error) {
    response.close();
    throw error;
  }
}

function composed(middleware: readonly Middleware[], last: Next): Next {
  return middleware.reduceRight<Next>(
    (next, one) => async (request) => responseOf(one, await one(request, next)),
    last,
  );
}

/** What a middleware gave. @throws TypeError if it is no response of a client. */
function responseOf({ name }: Middleware, response: unknown): ClientResponse {
  if (response instanceof ClientResponse) return response;
  throw new TypeError(
    `middleware ${name || "(anonymous)"}: got ${describe(response)}, needs the response that next(request) gave, or request.respond(new HttpResponse(…))`,
  );
}

/** With its body as bytes, if that is all there. */
async function peeked(request: ClientRequest): Promise<ClientRequest> {
  if (!isStream(request.payload)) return request;
  const payload = await bodyAtHand(request.payload);
  const isReplayable = payload instanceof Uint8Array;
  return new ClientRequest({ ...request.parts, payload, isReplayable });
}

function isOfPlatform(input: string | URL | Request): boolean {
  return typeof input !== "string" && input instanceof Request && !(input instanceof HttpRequest);
}

function isStream(payload: Payload): payload is ByteReceiveStream {
  return typeof payload === "object" && payload !== null && !(payload instanceof Uint8Array);
}

/** A stream that is the body of a request belongs to it, also if it never came to be sent. */
function closeStream(payload: Payload): void {
  try {
    if (isStream(payload)) payload.close();
  } catch {
    // There is an error already, which says more.
  }
}
