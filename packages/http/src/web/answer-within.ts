import { BrokenResourceError } from "arborio";
import { HttpError } from "./http-error.ts";

/** The error that says what to answer, out of what a web stream in between has made of it. */
export function answerWithin(error: unknown): unknown {
  return error instanceof BrokenResourceError && error.cause instanceof HttpError
    ? error.cause
    : error;
}
