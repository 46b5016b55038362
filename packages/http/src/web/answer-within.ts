import { BrokenResourceError } from "arborio";
import { HttpError } from "./http-error.ts";

/** The error that says what to answer, out of what the web streams in between have made of it. */
export function answerWithin(error: unknown): unknown {
  let cause = error;
  while (cause instanceof BrokenResourceError) ({ cause } = cause);
  return cause instanceof HttpError ? cause : error;
}
