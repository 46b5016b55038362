/** The start of a link, up to its URL. Simple, and quick for any page: it never looks further than the next tag. */
const LINK = /<a(?=\s)[^<>]*?\shref\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))/gi;

/** The URLs that a page of HTML leads to, each once, without fragments; only those of the web. */
export function linksIn(html: string, pageUrl: string): string[] {
  const urls = new Set<string>();
  for (const [, double, single, bare] of html.matchAll(LINK)) {
    const url = absolute((double ?? single ?? bare ?? "").replaceAll("&amp;", "&"), pageUrl);
    if (url !== undefined) urls.add(url);
  }
  return [...urls];
}

/** A URL as pages are known by; `undefined`: it leads out of the web. */
export function absolute(text: string, pageUrl?: string): string | undefined {
  if (!URL.canParse(text, pageUrl)) return undefined;
  const url = new URL(text, pageUrl);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  url.hash = url.username = url.password = "";
  return url.href;
}
