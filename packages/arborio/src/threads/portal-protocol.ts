/** What is said between code in one thread and functions in the loop of another, which it calls by their names. */
import type { Passport } from "./passport.ts";
import type { ThrownForm } from "./thrown-form.ts";

/** Functions that another thread can call, by their names. */
export type CallableFunctions = Readonly<Record<string, (...args: never[]) => unknown>>;

/** Functions of which no types are known. */
export type UntypedFunctions = Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** Names of functions. */
export type CallableName<Functions> = keyof Functions & string;

/** Arguments of a function, by its name. */
export type CallableArguments<Functions, Name extends keyof Functions> = Functions[Name] extends (
  ...args: infer Args
) => unknown
  ? Args
  : never;

/** What a call of a function gives, by its name. */
export type CallableResult<Functions, Name extends keyof Functions> = Functions[Name] extends (
  ...args: never[]
) => infer Result
  ? Awaited<Result>
  : never;

/** To the functions. Numbers are the caller's own. */
export type ToFunctions =
  /** Runs a function: as long as the caller waits for it, or to its end. */
  | readonly [kind: "call" | "start", id: number, functionName: string, args: readonly unknown[]]
  | readonly [kind: "cancel", id: number];

/** From the functions: what came of a call. */
export type FromFunctions =
  | readonly [kind: "value", id: number, value: unknown]
  | readonly [kind: "thrown", id: number, thrown: ThrownForm]
  | readonly [kind: "cancelled", id: number]
  /** It was not begun: nothing is begun any more. */
  | readonly [kind: "ended", id: number];

/** Says that a port belongs to a portal. */
export const PORTAL_PORT = "arborio.portal.v1";

/** What waits in the port of a portal when it comes to another thread. */
export interface PortalPassport extends Passport {
  /** The thread of the portal. */
  readonly home: string;
}

/** To a portal. */
export type ToPortal =
  | ToFunctions
  /** First of all: the bell of the thread. */
  | readonly [kind: "here", bell: Int32Array]
  /** There is one more connection, behind this port. */
  | readonly [kind: "connect", port: object]
  /** It is closed. Its port is closed by that, too, but a busy thread comes to that later. */
  | readonly [kind: "close"];

/** From a portal. */
export type FromPortal =
  | FromFunctions
  /** It has ended. */
  | readonly [kind: "over"];
