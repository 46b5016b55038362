import { ambientScope } from "../core/ambient.ts";
import { describeValue } from "../core/arguments.ts";
import { SystemError } from "../core/errors.ts";
import { requireCapability } from "../platform/capabilities.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { Completion, Network, Withdraw } from "../platform/network.ts";
import { type IpFamily, ipFamily } from "./address.ts";
import { Candidates } from "./candidates.ts";
import { requireHost } from "./host-name.ts";

/** Options of `lookup`. */
export interface LookupOptions {
  /** Only addresses of this version. Default: both, which are asked for at the same time. */
  readonly family?: IpFamily;
}

/**
 * Finds the numeric addresses of a name, as the system's resolver does (`/etc/hosts`, then the name service). Cancelled, it waits
 * no longer, and what the system still finds is dropped.
 *
 * @param host a name, also one with letters beyond ASCII, which gets the form that browsers give it (UTS 46). A numeric address, also
 *   with a scope (`"fe80::1%eth0"`), is its own answer.
 * @returns at least one address, each once, in the order in which `connectTcp` tries them: the families in turns, IPv6 first.
 * @throws SystemError with the code `ENOTFOUND` if none is known, `EAI_AGAIN` if the name service does not answer, and others as the
 *   system has them. Of a name that one family knows, the other's error is dropped.
 * @throws TypeError, RangeError if `host` cannot be a name: empty, longer than 253 characters, with a space, NUL, port or brackets.
 *
 * Counterpart: `anyio.getaddrinfo`.
 *
 * @example The addresses of this machine's own name
 * ```ts
 * import { run } from "arborio";
 * import { lookup } from "arborio/net";
 *
 * await run(async () => {
 *   console.assert((await lookup("localhost")).length > 0);
 *   console.assert((await lookup("::1"))[0] === "::1");
 * });
 * ```
 */
export async function lookup(
  host: string,
  options: LookupOptions = {},
): Promise<readonly string[]> {
  const name = requireHost("lookup", host);
  const families = requireFamilies("lookup({ family })", options.family);
  const own = ipFamily(name);
  if (own !== undefined) return ownAddress(name, families.includes(own));
  return hostOperation<readonly string[]>({
    name: "lookup",
    resource: name,
    begin: (backend, completion) =>
      lookUpAll(requireCapability(backend, "network", "lookup"), name, families, completion),
  });
}

/** A checkpoint, as every lookup. */
function ownAddress(address: string, isOfFamily: boolean): Promise<readonly string[]> {
  const scope = ambientScope();
  const refusal = scope.refuse() ?? (isOfFamily ? null : unknownName(address));
  return refusal === null ? scope.kernel.ready([address]) : scope.kernel.rejected(refusal);
}

function lookUpAll(
  network: Network,
  host: string,
  families: readonly IpFamily[],
  completion: Completion<readonly string[]>,
): Withdraw {
  const found = new Candidates();
  const errors: Error[] = [];
  let pending = families.length;
  const came = (): void => {
    pending -= 1;
    if (pending > 0) return;
    if (!found.isEmpty) completion.succeed(found.takeAll());
    else
      completion.fail(
        errors.find((error) => !isUnknownName(error)) ?? unknownName(host, errors[0]),
      );
  };
  const withdrawals = families.map((family) =>
    network.lookup(host, family, {
      succeed(addresses) {
        found.add(family, addresses);
        came();
      },
      fail(error) {
        errors.push(error);
        came();
      },
    }),
  );
  return () => {
    for (const withdraw of withdrawals) withdraw();
  };
}

/** The families that an option asks for, IPv6 first. */
export function requireFamilies(where: string, family: unknown): readonly IpFamily[] {
  if (family === undefined) return [6, 4];
  if (family === 4 || family === 6) return [family];
  throw new RangeError(`${where}: got ${describeValue(family)}, needs 4 or 6`);
}

/** Whether a lookup failed for want of addresses. */
export function isUnknownName(error: unknown): boolean {
  return error instanceof SystemError && error.systemCode === "ENOTFOUND";
}

/** The error of a lookup that found nothing: the backend's own, if it gave one. */
export function unknownName(host: string, error?: Error): Error {
  return (
    error ??
    new SystemError(`look up ${host}: no address is known for this name (ENOTFOUND)`, "ENOTFOUND")
  );
}
