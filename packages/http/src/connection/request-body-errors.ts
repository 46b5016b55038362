import { BrokenResourceError } from "arborio";
import { BodyTooLargeError, HttpError } from "../web/http-error.ts";
import type { BodyErrors } from "./incoming-body.ts";

/** How a handler is told what is wrong with the body of its request: by errors that are the right answers. */
export const REQUEST_BODY_ERRORS: BodyErrors = {
  name: "request body",
  detached: "the response has been sent, and the rest of the body is gone; read it before",
  cut: (operation, cause) =>
    new BrokenResourceError(
      `request body.${operation}: the client left before it had sent all of the body`,
      { cause },
    ),
  broken: (error) => error,
  late: () => new HttpError(408, "the body did not come in time"),
  tooLarge: (bytesMax) => new BodyTooLargeError(bytesMax),
};
