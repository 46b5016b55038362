import { brandError } from "../core/brand.ts";
import { ArborioError } from "../core/errors.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import type { IpAddress } from "../platform/wire.ts";
import { formatAddress } from "./address.ts";

/** An address that was tried, and why it could not be connected to. */
export interface FailedAttempt {
  /** What was to be connected to. */
  readonly address: IpAddress;
  /** Usually a `SystemError`. */
  readonly error: Error;
}

/** So many attempts are listed in a message; `attempts` has them all. */
const LISTED_MAX = 20;

/**
 * No address of a host could be connected to, or none is known. The `cause` is the one error, or an `ExceptionGroup` of
 * several; `attempts` says which address failed how. Counterpart: `anyio.ConnectionFailed`.
 *
 * @example Which address failed, and how
 * ```ts
 * import { run } from "arborio";
 * import { connectTcp, ConnectionFailedError, formatAddress } from "arborio/net";
 *
 * await run(async () => {
 *   try {
 *     await connectTcp("127.0.0.1", 1);
 *   } catch (error) {
 *     if (!(error instanceof ConnectionFailedError)) throw error;
 *     for (const { address, error: reason } of error.attempts) console.log(formatAddress(address), reason.message);
 *   }
 * });
 * ```
 */
export class ConnectionFailedError extends ArborioError {
  /** In the order in which they were begun; empty if no address is known. */
  readonly attempts: readonly FailedAttempt[];

  /**
   * Made by `connectTcp`.
   *
   * @param target what was to be connected to.
   * @param attempts those that failed.
   * @param lookupErrors what else stood in the way.
   */
  constructor(
    target: string,
    attempts: readonly FailedAttempt[],
    lookupErrors: readonly Error[] = [],
  ) {
    const errors = [...attempts.map(({ error }) => error), ...lookupErrors];
    super(`connectTcp to ${target}: ${describe(attempts, lookupErrors)}`, {
      cause:
        errors.length === 1 ? errors[0] : new ExceptionGroup(errors, `connectTcp to ${target}`),
    });
    this.attempts = Object.freeze([...attempts]);
  }
}
brandError(ConnectionFailedError, "ConnectionFailedError");

function describe(attempts: readonly FailedAttempt[], lookupErrors: readonly Error[]): string {
  const lines = [
    ...attempts.slice(0, LISTED_MAX).map(describeAttempt),
    ...(attempts.length > LISTED_MAX ? [`and ${attempts.length - LISTED_MAX} more`] : []),
    ...lookupErrors.map(({ message }) => message),
  ];
  if (lines.length === 1) return lines[0] as string;
  return `no address could be connected to\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

/** Backends begin their messages with what was attempted, which is said once here. */
function describeAttempt({ address, error }: FailedAttempt): string {
  const where = formatAddress(address);
  const attempted = `connect to ${where}: `;
  const { message } = error;
  return `${where}: ${message.startsWith(attempted) ? message.slice(attempted.length) : message}`;
}
