import { latin1 } from "./characters.ts";

/** Bytes in base64 (RFC 4648 §4). */
export function base64(bytes: Uint8Array): string {
  return btoa(latin1(bytes, 0, bytes.length));
}
