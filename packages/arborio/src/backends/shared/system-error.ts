import { SystemError } from "../../core/errors.ts";
import { lazily } from "./builtin.ts";

const os = lazily("node:os");

/** What people should read instead of the code. */
const TEXTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "no such address on this machine",
  EAGAIN: "the other side has no room at the moment",
  EAI_AGAIN: "the name service does not answer",
  EAI_FAIL: "the name service failed",
  EBADF: "no such descriptor is open",
  ECONNABORTED: "the connection was aborted",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the other side reset the connection",
  EDQUOT: "the quota of the disk is used up",
  EEXIST: "something is there already",
  EHOSTUNREACH: "the host cannot be reached",
  EFBIG: "the file would be too large",
  EINVAL: "the system takes this for an invalid argument",
  EIO: "the device failed",
  ELOOP: "too many links, or they lead in a circle",
  EMFILE: "too many open files in this process",
  EMSGSIZE: "the datagram is too large",
  ENETUNREACH: "the network cannot be reached",
  ENFILE: "too many open files on this machine",
  ENOENT: "no such file or directory",
  ENOSPC: "there is no room left on the disk",
  ENOTCONN: "it is not connected",
  ENOTDIR: "a part of the path is not a directory",
  ENOTEMPTY: "the directory is not empty",
  ENOTFOUND: "no address is known for this name",
  ENOTSOCK: "it is not a socket",
  EISDIR: "it is a directory",
  ENAMETOOLONG: "the name is too long",
  EPERM: "operation not permitted",
  EPIPE: "the other side receives no more",
  EPROTOTYPE: "the socket there is of another kind",
  EROFS: "the disk can only be read",
  ESPIPE: "it has no positions, as a pipe or a terminal",
  ETIMEDOUT: "the other side did not answer in time",
  ETXTBSY: "it is a program that runs, or a file that is being written",
  EXDEV: "it is on another disk",
};

/** Codes by which a runtime means what the others call by the system's name. */
const SYNONYMS: Readonly<Record<string, string>> = {
  EAI_NODATA: "ENOTFOUND",
  EAI_NONAME: "ENOTFOUND",
  ENODATA: "ENOTFOUND",
  DNS_ENOTFOUND: "ENOTFOUND",
  // Deno's, for most errors of datagrams.
  UNKNOWN: "EUNKNOWN",
  ERR_SOCKET_CLOSED: "ECONNRESET",
  ERR_STREAM_WRITE_AFTER_END: "EPIPE",
  ERR_STREAM_PREMATURE_CLOSE: "ECONNRESET",
};

/** The library's error for one of the runtime; `attempt` says what was tried: `"connect to 127.0.0.1:80"`. */
export function toSystemError(attempt: string, error: unknown): SystemError {
  if (error instanceof SystemError) return error;
  const told = codeOf(error);
  const code = SYNONYMS[told] ?? told;
  const text = TEXTS[code] ?? (error instanceof Error ? error.message : String(error));
  return new SystemError(`${attempt}: ${text} (${code})`, code, { cause: error });
}

/** The code of an error of the runtime; `"EUNKNOWN"` if it has none. */
export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === "string") return code;
  return error instanceof Error ? codeOfNumber(error.message) : "EUNKNOWN";
}

/** Deno tells the system's number in the message of errors that it has no name for: `"Illegal seek (os error 29)"`. */
function codeOfNumber(message: string): string {
  const number = Number(/\(os error (\d+)\)/.exec(message)?.[1]);
  const names = Object.entries(os().constants.errno);
  return names.find(([, value]) => value === number)?.[0] ?? "EUNKNOWN";
}
