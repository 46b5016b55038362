import type { FieldList } from "../protocol/message.ts";
import { FieldHeaders } from "../web/field-headers.ts";
import type { BodySource, Payload } from "../web/payload.ts";
import { authorizationOf } from "./authorization.ts";
import { normalizedMethod } from "./check-fetch-options.ts";
import type { FetchOptions } from "./client-options.ts";
import type { ClientResponse } from "./client-response.ts";
import { contentOfBody } from "./request-content.ts";
import { fieldsWithout, givenFields, mergedFields } from "./request-fields.ts";
import { type RequestUrl, requestUrlOf } from "./request-url.ts";
import { responded } from "./responded.ts";

/** What of a request can be changed on its way. */
export interface RequestChanges {
  /** Another method. */
  readonly method?: string;
  /** Where it is to go instead; relative to where it would go. Credentials in it become `Authorization`. */
  readonly url?: string | URL;
  /** Fields to set: each takes the place of those of its name; `null` takes them away. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Another body. Its type is set unless `headers` has one. */
  readonly body?: BodySource;
}

/** What a request is made of. */
export interface RequestParts {
  readonly method: string;
  readonly target: RequestUrl;
  readonly fields: FieldList;
  readonly payload: Payload;
  readonly payloadBytes: number | undefined;
  readonly isReplayable: boolean;
  readonly options: FetchOptions;
  /** Shared with the requests that it is made of, and that are made of it. */
  readonly sends?: SendCount;
}

/** How often requests were sent that are all the same one. */
export interface SendCount {
  count: number;
}

/** Of requests that nobody traces. */
const NOT_COUNTED: SendCount = { count: 0 };

/** A request on its way to the network. It does not change: `with` makes another one. */
export class ClientRequest {
  /** As it is sent: methods are case-sensitive. */
  readonly method: string;
  /** Names and values in turn: the client's, and those of the request. Not those of the connection, and `Host` only if it was given. */
  readonly fields: FieldList;
  /** The options that it was made with. */
  readonly options: FetchOptions;
  /** Whether its body can be sent again: there is none, or it is text, bytes, a form or a file. */
  readonly isReplayable: boolean;
  /** @internal */ readonly sends: SendCount;
  /** @internal */ readonly target: RequestUrl;
  /** @internal */ readonly payload: Payload;
  /** @internal */ readonly payloadBytes: number | undefined;

  /** @internal */
  constructor(parts: RequestParts) {
    this.method = parts.method;
    this.target = parts.target;
    this.fields = parts.fields;
    this.payload = parts.payload;
    this.payloadBytes = parts.payloadBytes;
    this.isReplayable = parts.isReplayable;
    this.options = parts.options;
    this.sends = parts.sends ?? NOT_COUNTED;
  }

  /** @internal */
  get parts(): RequestParts {
    const { method, target, fields, payload, payloadBytes, isReplayable, options, sends } = this;
    return { method, target, fields, payload, payloadBytes, isReplayable, options, sends };
  }

  /** Where it goes, without credentials and fragment. */
  get url(): string {
    return this.target.href;
  }

  /** Its scheme, host and port: `"https://example.org"`. */
  get origin(): string {
    return this.target.origin;
  }

  /** The fragment of the URL, with its `#`; `""` if there is none. It is not sent; a redirect without one keeps it. */
  get fragment(): string {
    return this.target.fragment;
  }

  /** A copy of the fields, to look at. */
  get headers(): Headers {
    return new FieldHeaders(this.fields.slice(), true);
  }

  /**
   * An answer to this request that comes from here and not from the network: what a middleware gives in place of `next(request)`, such as a guard or
   * the double of a server in a test.
   *
   * @throws TypeError if it is no response that can be sent: its body was read already.
   *
   * @example A client without a network
   * ```ts
   * import { run } from "arborio";
   * import { HttpResponse, openHttpClient } from "@arborio/http";
   *
   * await run(async () => {
   *   await using client = openHttpClient({
   *     middleware: [async (request) => request.respond(HttpResponse.json({ asked: request.url }))],
   *   });
   *   const response = await client.request("http://example.org/");
   *   console.assert(response.text() === '{"asked":"http://example.org/"}');
   * });
   * ```
   */
  respond(response: Response): ClientResponse {
    return responded(this, response);
  }

  /** The same, but for these changes. @throws TypeError if there is no such request. */
  with(changes: RequestChanges): ClientRequest {
    const { url, headers = {}, body } = changes;
    const method =
      changes.method === undefined ? this.method : normalizedMethod("request.with", changes.method);
    const given = givenFields("request.with({ headers })", headers);
    let { target, payload, payloadBytes, isReplayable } = this;
    let fields = mergedFields(this.fields, given);
    if (body !== undefined) {
      const content = contentOfBody("request.with({ body })", body);
      ({ payload, payloadBytes, isReplayable } = content);
      if (!given.names.has("content-type")) {
        fields = fieldsWithout(fields, new Set(["content-type"]));
        if (content.type !== "") fields = [...fields, "content-type", content.type];
      }
    }
    if (url !== undefined) {
      target = requestUrlOf(new URL(url, this.target.href));
      if (target.credentials !== null && !given.names.has("authorization"))
        fields = authorized(fields, authorizationOf(target.credentials));
    }
    return new ClientRequest({
      ...this.parts,
      method,
      target,
      fields,
      payload,
      payloadBytes,
      isReplayable,
    });
  }
}

/** With this `Authorization` instead of another. */
export function authorized(fields: FieldList, authorization: string): FieldList {
  return [...fieldsWithout(fields, AUTHORIZATION), "authorization", authorization];
}

export const AUTHORIZATION: ReadonlySet<string> = new Set(["authorization"]);
