import { describeValue, requireTime } from "../../core/arguments.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import type { Chooser } from "../chooser.ts";
import { ip, parseIp } from "./addresses.ts";
import type { Fabric } from "./fabric.ts";
import { systemError } from "../system-errors.ts";

/** How the name service answers. */
export interface NameAnswerOptions {
  /** Milliseconds until the answer; `Infinity`: none, which the system takes for `EAI_AGAIN` after 10 s. Default: one round trip. */
  readonly delayMs?: number;
  /** The answer is this error: no such name, the service does not answer, the service failed. */
  readonly fail?: "ENOTFOUND" | "EAI_AGAIN" | "EAI_FAIL";
}

/** Options of `world.names.set`. */
export interface NameOptions extends NameAnswerOptions {
  /** For the question for IPv4 addresses, instead of the above. */
  readonly ipv4?: NameAnswerOptions;
  /** For the question for IPv6 addresses, instead of the above. */
  readonly ipv6?: NameAnswerOptions;
}

interface Entry {
  readonly addresses: Readonly<Record<4 | 6, readonly string[]>>;
  readonly answers: Readonly<Record<4 | 6, NameAnswerOptions>>;
}

/** When a resolver gives up on a service that does not answer: two attempts of 5 s, as glibc makes. */
const NO_ANSWER_US = 10_000_000;
const US = 1000;

/** The name service of a simulated world. Nothing is cached: what is set counts for the next question. */
export class NameService {
  readonly #fabric: Fabric;
  readonly #chooser: Chooser;
  readonly #entries: Map<string, Entry> = new Map();

  /** @internal */
  constructor(fabric: Fabric) {
    this.#fabric = fabric;
    this.#chooser = fabric.chooser.fork("names");
  }

  /**
   * Gives a name these addresses, instead of those it had. Every host has its own name already, and `localhost` is always itself.
   *
   * @param name as programs ask for it; upper and lower case are the same.
   * @param addresses numeric ones of both families, best first; may be empty.
   * @throws TypeError, RangeError for wrong arguments.
   *
   * @example A name whose IPv6 answer is slow
   * ```ts
   * import { simulate } from "arborio/sim";
   * import { lookup } from "arborio/net";
   *
   * await simulate({ seed: 1 }, async (world) => {
   *   world.names.set("db.test", ["10.0.0.2", "fd00::2"], { ipv6: { delayMs: 3000 } });
   *   console.assert((await lookup("db.test", { family: 4 }))[0] === "10.0.0.2");
   * });
   * ```
   */
  set(name: string, addresses: readonly string[], options: NameOptions = {}): void {
    if (typeof name !== "string" || name === "")
      throw new TypeError(`world.names.set: got ${describeValue(name)}, needs a name`);
    const parsed = addresses.map((address) => {
      const one = parseIp(address);
      if (one !== undefined) return one;
      throw new RangeError(
        `world.names.set(${JSON.stringify(name)}): got ${describeValue(address)}, needs numeric addresses`,
      );
    });
    const { ipv4 = options, ipv6 = options } = options;
    for (const { delayMs } of [ipv4, ipv6])
      if (delayMs !== undefined) requireTime("world.names.set({ delayMs })", delayMs);
    const ofFamily = (family: 4 | 6): string[] =>
      parsed.filter((one) => one.family === family).map(({ text }) => text);
    this.#entries.set(normalized(name), {
      addresses: { 4: ofFamily(4), 6: ofFamily(6) },
      answers: { 4: ipv4, 6: ipv6 },
    });
  }

  /** Forgets a name: asked for it, the service answers `ENOTFOUND`. */
  delete(name: string): void {
    this.#entries.delete(normalized(name));
  }

  /** @internal Answers a question of a host. */
  lookup(name: string, family: 4 | 6, completion: Completion<readonly string[]>): Withdraw {
    const local = localAnswer(name, family);
    if (local !== undefined) return this.#answer(1, name, local, undefined, completion);
    const entry = this.#entries.get(normalized(name));
    const { delayMs, fail } = entry?.answers[family] ?? {};
    const roundTripUs = this.#fabric.delayUs(this.#chooser) + this.#fabric.delayUs(this.#chooser);
    if (delayMs === Infinity) return this.#answer(NO_ANSWER_US, name, [], "EAI_AGAIN", completion);
    const delayUs = delayMs === undefined ? roundTripUs : Math.round(delayMs * US);
    return this.#answer(delayUs, name, entry?.addresses[family] ?? [], fail, completion);
  }

  #answer(
    delayUs: number,
    name: string,
    addresses: readonly string[],
    fail: NameAnswerOptions["fail"],
    completion: Completion<readonly string[]>,
  ): Withdraw {
    const timer = this.#fabric.clock.after(delayUs, () => {
      if (fail === undefined && addresses.length > 0) completion.succeed(addresses);
      else completion.fail(systemError(`look up ${name}`, fail ?? "ENOTFOUND"));
    });
    return () => timer.clear();
  }
}

/** What a host knows without asking: numeric addresses, and itself (RFC 6761, section 6.3). */
function localAnswer(name: string, family: 4 | 6): readonly string[] | undefined {
  const numeric = parseIp(name);
  if (numeric !== undefined) return numeric.family === family ? [numeric.text] : [];
  if (!/(^|\.)localhost$/.test(normalized(name))) return undefined;
  return [ip(family === 4 ? "127.0.0.1" : "::1").text];
}

function normalized(name: string): string {
  return name.replace(/\.$/, "").toLowerCase();
}
