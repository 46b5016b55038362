import { Upstreams } from "./upstreams.ts";

/** Reads `["a.test=http://one:80,http://two:80", "http://three"]`: hosts, each with the servers behind it. `undefined`: it cannot be read. */
export function parseSites(texts: readonly string[]): Map<string, Upstreams> | undefined {
  const sites = new Map<string, Upstreams>();
  for (const text of texts) {
    const [, host = "*", list = ""] = /^(?:([^=/]+)=)?(.+)$/.exec(text) ?? [];
    const urls = list.split(",");
    if (!urls.every((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)))
      return undefined;
    sites.set(host.toLowerCase(), new Upstreams(urls.map((url) => new URL(url).origin)));
  }
  return sites.size === 0 ? undefined : sites;
}
