import { SystemError } from "../core/errors.ts";

/** Whether the system refused with one of these codes. */
export function hasSystemCode(error: unknown, ...codes: readonly string[]): error is SystemError {
  return error instanceof SystemError && codes.includes(error.systemCode);
}

/** Whether the system says that nothing is there. */
export function isNothingThere(error: unknown): error is SystemError {
  return hasSystemCode(error, "ENOENT", "ENOTDIR");
}
