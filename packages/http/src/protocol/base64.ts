/** Bytes in base64 (RFC 4648 §4). For the few bytes that keys and credentials have: each is an argument of one call. */
export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
