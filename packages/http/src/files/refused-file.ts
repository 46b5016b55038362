import { SystemError } from "arborio";
import { HttpResponse } from "../web/http-response.ts";

/** What the answer to a request for a file can be if it is not given. */
export type Refusal = 403 | 404;

/**
 * Codes of the system for paths that lead to nothing, for whatever reason: too long, in a circle, through a file. One status for
 * all, so that nobody can find out what is there.
 */
const ABSENT: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ENAMETOOLONG",
  "ELOOP",
  "EISDIR",
  "EINVAL",
  "EILSEQ",
]);

/** Codes for what is there and not to be read: no right, or a socket. */
const FORBIDDEN: ReadonlySet<string> = new Set(["EACCES", "EPERM", "ENXIO", "ENODEV"]);

/** The status for an error of the system. @throws the error, if it is the server's trouble and not the request's. */
export function refusalOrThrow(error: unknown): Refusal {
  if (error instanceof SystemError) {
    if (ABSENT.has(error.systemCode)) return 404;
    if (FORBIDDEN.has(error.systemCode)) return 403;
  }
  throw error;
}

/** The answer. It says nothing of the file system. */
export function refusalResponse(status: Refusal): HttpResponse {
  return new HttpResponse(status === 404 ? "404 Not Found\n" : "403 Forbidden\n", { status });
}

/** The answer to methods other than GET and HEAD. */
export function methodRefused(): HttpResponse {
  return new HttpResponse("405 Method Not Allowed\n", {
    status: 405,
    headers: { allow: "GET, HEAD" },
  });
}
