/** Whether the body of a response may and should be compressed on its way, decided purely. */
import { trimSpace } from "../protocol/characters.ts";

/** What there is to know of a response. */
export interface CompressibleResponse {
  readonly status: number;
  readonly headers: Pick<Headers, "get" | "has">;
}

/**
 * Types that shrink: texts, and what is written as text. Images, sound, video and archives are compressed already. Event streams are
 * among them: each event is flushed.
 */
export const COMPRESSIBLE_TYPES: RegExp =
  /^(?:text\/.+|(?:application|image|model)\/(?:[\w.-]+\+)?(?:json5?|xml|yaml|xml-dtd)|application\/(?:javascript|ecmascript|ld\+json|x-ndjson|jsonl|graphql|wasm|rtf|sql|toml|x-sh|x-tar|manifest\+json|vnd\.ms-fontobject)|font\/(?:ttf|otf|collection)|image\/(?:bmp|x-icon|vnd\.microsoft\.icon|svg\+xml))$/;

/** Statuses without a body, and the part of one, whose ranges are of the bytes as they are. */
const UNTOUCHED_STATUSES: ReadonlySet<number> = new Set([101, 204, 205, 206, 304]);

/** Fields that say that the bytes are already something else, or are to arrive as they are. */
const UNTOUCHED_FIELDS: readonly string[] = [
  "content-encoding",
  "content-range",
  "content-digest",
  "repr-digest",
  "digest",
  "content-md5",
];

/** Whether it is of a kind that is compressed for those who take it: then the answer varies by `Accept-Encoding`. */
export function isCompressible(
  { status, headers }: CompressibleResponse,
  types: RegExp = COMPRESSIBLE_TYPES,
): boolean {
  if (status < 200 || UNTOUCHED_STATUSES.has(status)) return false;
  if (UNTOUCHED_FIELDS.some((name) => headers.has(name))) return false;
  if (forbidsTransforming(headers.get("cache-control"))) return false;
  const type = headers.get("content-type");
  // A pattern with the flag "g" remembers where it was, "search" does not.
  return type !== null && essenceOf(type).search(types) !== -1;
}

/** Whether `Cache-Control` has `no-transform` (RFC 9111 §5.2.2.6). */
function forbidsTransforming(field: string | null): boolean {
  return (
    field !== null &&
    field.split(",").some((directive) => trimSpace(directive).toLowerCase() === "no-transform")
  );
}

/** The type without its parameters. */
function essenceOf(type: string): string {
  return trimSpace(type.split(";", 1)[0] as string).toLowerCase();
}

/** `Vary` with one more field; `*` says it all. */
export function varyWith(field: string | null, name: string): string {
  if (field === null || trimSpace(field) === "") return name;
  const names = field.split(",").map((one) => trimSpace(one).toLowerCase());
  return names.includes("*") || names.includes(name) ? field : `${field}, ${name}`;
}
