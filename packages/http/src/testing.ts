/**
 * What handlers are tested with.
 *
 * @module
 */

export { ProtocolError } from "./protocol/protocol-error.ts";
