/**
 * Sessions as users keep them. An engine resumes one for any name, and asks for no certificate then; so each is tied to the name that
 * it was made for, and to whether its certificate was verified.
 */

const VERIFIED = 1;
const UNVERIFIED = 0;
/** The first byte, and two for the length of the name. */
const HEADER_BYTES = 3;

/** What `onSession` gives. */
export function sealSession(
  session: Uint8Array,
  serverName: string,
  isVerified: boolean,
): Uint8Array {
  const name = new TextEncoder().encode(serverName);
  const sealed = new Uint8Array(HEADER_BYTES + name.length + session.length);
  sealed.set([isVerified ? VERIFIED : UNVERIFIED, name.length >> 8, name.length & 0xff]);
  sealed.set(name, HEADER_BYTES);
  sealed.set(session, HEADER_BYTES + name.length);
  return sealed;
}

/** The engine's part of it; `undefined` if it does not fit this connection, which then makes a full handshake. */
export function openSession(
  sealed: Uint8Array,
  serverName: string,
  verify: boolean,
): Uint8Array | undefined {
  const [kind, high = 0, low = 0] = sealed;
  const nameEnd = HEADER_BYTES + high * 256 + low;
  const name = new TextDecoder().decode(sealed.subarray(HEADER_BYTES, nameEnd));
  if (name !== serverName || (verify && kind !== VERIFIED)) return undefined;
  return sealed.subarray(nameEnd);
}
