import { SystemError } from "../core/errors.ts";

/** What people should read instead of the code; the same words as on a real system. */
const TEXTS = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "no such address on this machine",
  EAFNOSUPPORT: "the address is of another family than the socket",
  EAI_AGAIN: "the name service does not answer",
  EAI_FAIL: "the name service failed",
  EBUSY: "it is in use",
  EBADF: "no such descriptor is open",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the other side reset the connection",
  EDESTADDRREQ: "no address to send to was given",
  EEXIST: "something is there already",
  EFBIG: "the file would be too large",
  EHOSTDOWN: "the host is down",
  EHOSTUNREACH: "the host cannot be reached",
  EINVAL: "the system takes this for an invalid argument",
  EIO: "the disk failed",
  EISCONN: "the socket is connected, so it sends to its peer only",
  EISDIR: "it is a directory",
  ELOOP: "links lead in a circle",
  EMSGSIZE: "the datagram is too large",
  ENAMETOOLONG: "the name is too long",
  ENETUNREACH: "the network cannot be reached",
  ENOENT: "no such file or directory",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a directory",
  ENOTEMPTY: "the directory is not empty",
  ENOTFOUND: "no address is known for this name",
  ENXIO: "there is nothing behind it that could be opened",
  EOPNOTSUPP: "this kind of socket cannot do that",
  EPERM: "operation not permitted",
  EPIPE: "the other side receives no more",
  EPROTOTYPE: "the socket there is of another kind",
  ETIMEDOUT: "the other side did not answer in time",
  EXDEV: "it is on another disk",
} as const;

/** The names of errors that the simulated system knows. */
export type SystemCode = keyof typeof TEXTS;

/** An error as a backend makes it; `attempt` says what was tried: `"connect to 10.0.0.1:80"`. */
export function systemError(attempt: string, code: SystemCode): SystemError {
  return new SystemError(`${attempt}: ${TEXTS[code]} (${code})`, code);
}
