/** `robots.txt`: what a site asks crawlers not to fetch (RFC 9309). */
import { type HttpClient, RequestFailedError } from "@arborio/http";

/** More of it need not be read: RFC 9309 §2.5. */
const ROBOTS_BYTES_MAX = 512_000;

interface Rule {
  readonly isAllowed: boolean;
  /** A path; `*` stands for anything, `$` for the end. */
  readonly pattern: string;
}

/** What a crawler may fetch of one site. */
export class Robots {
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /** @param path with the query. */
  allows(path: string): boolean {
    const matching = this.#rules.filter(({ pattern }) => matches(path, pattern));
    // The longest rule counts; of two that are as long, the one that allows: RFC 9309 §2.2.2.
    const [first] = matching.toSorted(
      (one, other) =>
        other.pattern.length - one.pattern.length ||
        Number(other.isAllowed) - Number(one.isAllowed),
    );
    return first?.isAllowed ?? true;
  }
}

const ANYTHING = new Robots([]);

/** Fetches the rules of a site. Where there are none, all is allowed. `undefined`: that cannot be known now, so nothing is: RFC 9309 §2.3.1. */
export async function fetchRobots(
  client: HttpClient,
  origin: string,
  agent: string,
): Promise<Robots | undefined> {
  try {
    const options = { bodyBytesMax: ROBOTS_BYTES_MAX };
    const response = await client.request(`${origin}/robots.txt`, options);
    if (response.ok) return parseRobots(response.text(), agent);
    return response.status === 429 || response.status >= 500 ? undefined : ANYTHING;
  } catch (error) {
    if (error instanceof RequestFailedError) return undefined;
    throw error;
  }
}

/** @param agent the crawler's own name, as in `User-Agent: name`. */
export function parseRobots(text: string, agent: string): Robots {
  const groups = new Map<string, Rule[]>();
  let names: string[] = [];
  let isNaming = false;
  for (const line of text.split(/\r\n|[\r\n]/)) {
    const [, field = "", value = ""] = /^\s*([a-z-]+)\s*:\s*([^#]*?)\s*(?:#.*)?$/i.exec(line) ?? [];
    const key = field.toLowerCase();
    if (key === "user-agent") {
      names = isNaming ? [...names, value.toLowerCase()] : [value.toLowerCase()];
      isNaming = true;
    } else if (key === "allow" || key === "disallow") {
      isNaming = false;
      if (value === "") continue;
      for (const name of names) {
        const rules = groups.get(name) ?? [];
        rules.push({ isAllowed: key === "allow", pattern: value });
        groups.set(name, rules);
      }
    }
  }
  return new Robots(groups.get(agent.toLowerCase()) ?? groups.get("*") ?? []);
}

/** No regular expression: whoever writes the pattern could make it take for ever. */
function matches(path: string, pattern: string): boolean {
  const isWhole = pattern.endsWith("$");
  const [first = "", ...rest] = (isWhole ? pattern.slice(0, -1) : pattern).split("*");
  if (!path.startsWith(first)) return false;
  let at = first.length;
  for (const [index, piece] of rest.entries()) {
    const isLast = isWhole && index === rest.length - 1;
    const found = isLast ? path.length - piece.length : path.indexOf(piece, at);
    if (found < at || !path.startsWith(piece, found)) return false;
    at = found + piece.length;
  }
  return !isWhole || at === path.length;
}
