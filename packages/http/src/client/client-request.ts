import type { FieldList } from "../protocol/message.ts";
import { FieldHeaders } from "../web/field-headers.ts";
import { fieldsFrom } from "../web/fields-from.ts";
import { isName } from "../web/field-names.ts";
import { contentOf, type BodySource, type Payload } from "../web/payload.ts";
import type { FetchOptions } from "./client-options.ts";
import { type RequestUrl, requestUrlOf } from "./request-url.ts";

/** What of a request can be changed on its way. */
export interface RequestChanges {
  readonly method?: string;
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
  readonly options: FetchOptions;
}

/** A request on its way to the network. It does not change: `with` makes another one. */
export class ClientRequest {
  readonly method: string;
  /** Names and values in turn: the client's, and those of the request. Not those of the connection, nor `Host`. */
  readonly fields: FieldList;
  /** The options that it was made with. */
  readonly options: FetchOptions;
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
    this.options = parts.options;
  }

  /** Where it goes, without credentials and fragment. */
  get url(): string {
    return this.target.href;
  }

  /** A copy of the fields, to look at. */
  get headers(): Headers {
    return new FieldHeaders(this.fields.slice(), true);
  }

  /** Whether its body can be sent again: there is none, or it is text or bytes. */
  get isReplayable(): boolean {
    const { payload } = this;
    return payload === null || typeof payload === "string" || payload instanceof Uint8Array;
  }

  /** The same, but for these changes. @throws TypeError if there is no such request. */
  with(changes: RequestChanges): ClientRequest {
    const { method = this.method, url, headers = {}, body } = changes;
    let { payload, payloadBytes } = this;
    const set = new Map(Object.entries(headers));
    if (body !== undefined) {
      const content = contentOf("request.with({ body })", body);
      payload = content.body as Payload;
      payloadBytes = content.bytes;
      const hasType = [...set.keys()].some((name) => isName(name, "content-type"));
      if (!hasType) set.set("content-type", content.type === "" ? null : content.type);
    }
    return new ClientRequest({
      method,
      target: url === undefined ? this.target : requestUrlOf(new URL(url, this.target.href)),
      fields: set.size === 0 ? this.fields : changedFields(this.fields, set),
      payload,
      payloadBytes,
      options: this.options,
    });
  }
}

function changedFields(fields: FieldList, changes: ReadonlyMap<string, string | null>): FieldList {
  const names = new Set([...changes.keys()].map((name) => name.toLowerCase()));
  const changed: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (!names.has((fields[at] as string).toLowerCase()))
      changed.push(fields[at] as string, fields[at + 1] as string);
  }
  const added = [...changes].filter((entry): entry is [string, string] => entry[1] !== null);
  return [...changed, ...fieldsFrom("request.with({ headers })", added)];
}
