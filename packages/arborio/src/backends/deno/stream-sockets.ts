import { SystemError } from "../../core/errors.ts";
import type {
  Acceptor,
  Completion,
  ConnectTarget,
  ListenerHandle,
  ListenTarget,
  Withdraw,
} from "../../platform/network.ts";
import type { Wire } from "../../platform/wire.ts";
import { describeTarget } from "../shared/describe-target.ts";
import { connect as nodeConnect } from "../shared/node-connect.ts";
import { NodeListener } from "../shared/node-listen.ts";
import { openListener } from "../shared/open-listener.ts";
import { toSystemError } from "../shared/system-error.ts";

/**
 * TCP and Unix sockets of Deno: through its `node:net`. Its own `Deno.Conn` cannot reset a connection, so that the other side could
 * take a part for the whole; and since it reads into memory that is there before the bytes are, a connection that waits would
 * hold some, and each chunk would have to be copied to belong to its receiver. Measured so, it is no faster.
 */
export function connect(target: ConnectTarget, completion: Completion<Wire>): Withdraw {
  return nodeConnect(target, {
    succeed: (wire) => completion.succeed(wire),
    fail: (error) =>
      completion.fail(withAddressCode(`connect to ${describeTarget(target)}`, error)),
  });
}

export function listen(
  target: ListenTarget,
  acceptor: Acceptor,
  completion: Completion<ListenerHandle>,
): Withdraw {
  const isSix = target.kind === "tcp" && target.ipv6Only;
  const own = isSix ? withoutFour(acceptor) : acceptor;
  return openListener(
    target,
    {
      succeed: (handle) => completion.succeed(handle),
      fail: (error) =>
        completion.fail(
          target.kind === "tcp"
            ? withAddressCode(`listen on ${describeTarget(target)}`, error)
            : error,
        ),
    },
    (at, settled) => new RenewedListener(target, at, own, settled),
  );
}

/**
 * After accepting has failed, for want of descriptors, the server of Deno 2.9.5 neither says so nor goes on, so it gets a new one now
 * and then. Unix sockets cannot be renewed, since Deno would bind them again.
 */
class RenewedListener extends NodeListener {
  /** @internal */
  looked(): void {
    this.renew();
  }
}

/** Deno 2.9.5 knows no code for an address that is not this machine's: binding to it is `EINVAL`. */
function withAddressCode(attempt: string, error: Error): Error {
  const { cause } = error as { cause?: { syscall?: unknown } };
  const isBinding = cause?.syscall === "bind" || cause?.syscall === "listen";
  if (!(error instanceof SystemError) || error.systemCode !== "EINVAL" || !isBinding) return error;
  const told = Object.assign(new Error(error.message, { cause }), { code: "EADDRNOTAVAIL" });
  return toSystemError(attempt, told);
}

/** Deno 2.9.5 ignores `ipv6Only`. */
function withoutFour(acceptor: Acceptor): Acceptor {
  return {
    accepted(wire) {
      const { remoteAddress } = wire.details;
      const isFour =
        remoteAddress !== undefined &&
        "host" in remoteAddress &&
        remoteAddress.host.startsWith("::ffff:");
      if (isFour) wire.close(true);
      else acceptor.accepted(wire);
    },
    failed: (error) => acceptor.failed(error),
  };
}
