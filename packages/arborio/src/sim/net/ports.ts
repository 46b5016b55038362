import { type Ip, isWildcard } from "./addresses.ts";
import type { SystemCode } from "../system-errors.ts";

/** Ports that the system gives out itself (RFC 6335, section 6). */
const EPHEMERAL_MIN = 49_152;
const EPHEMERAL_MAX = 65_535;

/** What a socket asks for. */
export interface BindRequest<Owner> {
  readonly address: Ip;
  /** 0: any free one. */
  readonly port: number;
  /** Whether the IPv6 wildcard takes IPv4 too. */
  readonly dual: boolean;
  /** Whether others may bind the same, if they all say so: `"port"` spreads over them, `"address"` gives it to the last. */
  readonly share: "none" | "port" | "address";
  readonly owner: Owner;
}

/** A socket's claim on a port of one or of all addresses of its host. */
export interface Binding<Owner> extends BindRequest<Owner> {
  readonly wildcard: boolean;
}

/** Who is bound to what, on one host and for one protocol. */
export class PortTable<Owner> {
  readonly #bindings: Map<number, Binding<Owner>[]> = new Map();
  /** Ports of connections that were made from here: how many use each. */
  readonly #lent: Map<number, number> = new Map();
  #next = EPHEMERAL_MIN;

  /** Binds, or says why not. */
  bind(request: BindRequest<Owner>): Binding<Owner> | SystemCode {
    const port = request.port === 0 ? this.#freePort() : request.port;
    if (port === undefined) return "EADDRINUSE";
    const binding: Binding<Owner> = { ...request, port, wildcard: isWildcard(request.address) };
    const there = this.#bindings.get(port) ?? [];
    if (there.some((other) => isConflict(other, binding))) return "EADDRINUSE";
    this.#bindings.set(port, [...there, binding]);
    return binding;
  }

  unbind(binding: Binding<Owner>): void {
    const rest = (this.#bindings.get(binding.port) ?? []).filter((other) => other !== binding);
    if (rest.length > 0) this.#bindings.set(binding.port, rest);
    else this.#bindings.delete(binding.port);
  }

  /** All that are bound to a port. */
  boundTo(port: number): readonly Binding<Owner>[] {
    return this.#bindings.get(port) ?? [];
  }

  /** The sockets that take what comes to `address`, of those that want it: bound to just that before those bound to all. */
  find(
    address: Ip,
    port: number,
    wants?: (binding: Binding<Owner>) => boolean,
  ): readonly Binding<Owner>[] {
    const takers = this.boundTo(port).filter(
      (binding) => takes(binding, address) && (wants === undefined || wants(binding)),
    );
    const exact = takers.filter(({ wildcard }) => !wildcard);
    if (exact.length > 0) return exact;
    const ofFamily = takers.filter((binding) => binding.address.family === address.family);
    return ofFamily.length > 0 ? ofFamily : takers;
  }

  /** A port for a connection that is made from here; to be given back with `release`. */
  lend(wanted: number | undefined): number | SystemCode {
    const isTaken = wanted !== undefined && wanted !== 0 && this.#isUsed(wanted);
    if (isTaken) return "EADDRINUSE";
    const port = wanted === undefined || wanted === 0 ? this.#freePort() : wanted;
    if (port === undefined) return "EADDRNOTAVAIL";
    this.#lent.set(port, (this.#lent.get(port) ?? 0) + 1);
    return port;
  }

  release(port: number): void {
    const rest = (this.#lent.get(port) ?? 0) - 1;
    if (rest > 0) this.#lent.set(port, rest);
    else this.#lent.delete(port);
  }

  #isUsed(port: number): boolean {
    return this.#bindings.has(port) || this.#lent.has(port);
  }

  #freePort(): number | undefined {
    for (let tries = EPHEMERAL_MIN; tries <= EPHEMERAL_MAX; tries++) {
      const port = this.#next;
      this.#next = port === EPHEMERAL_MAX ? EPHEMERAL_MIN : port + 1;
      if (!this.#isUsed(port)) return port;
    }
    return undefined;
  }
}

/** Whether what is sent to `address` comes to this socket. */
function takes<Owner>(binding: Binding<Owner>, address: Ip): boolean {
  if (!binding.wildcard) return binding.address.text === address.text;
  return binding.address.family === address.family || binding.dual;
}

function isConflict<Owner>(a: Binding<Owner>, b: Binding<Owner>): boolean {
  if (a.share !== "none" && a.share === b.share) return false;
  return takes(a, b.address) || takes(b, a.address);
}
