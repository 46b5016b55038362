/**
 * HTTP for Arborio.
 *
 * @module
 */

export { ProtocolError } from "./protocol/protocol-error.ts";
