/** A numeric address of the internet protocols. */
export interface Ip {
  readonly family: 4 | 6;
  /** The one spelling that is used for comparing; IPv6 as in RFC 5952. */
  readonly text: string;
  /** Four bytes, or eight groups of 16 bits. */
  readonly parts: readonly number[];
}

/** Reads an address; `undefined` if it is none. A zone (`%eth0`) is left out: a simulated host has one network interface. */
export function parseIp(text: string): Ip | undefined {
  const v4 = parseFour(text);
  if (v4 !== undefined) return { family: 4, text: v4.join("."), parts: v4 };
  const groups = parseGroups(text.replace(/%.*$/, ""));
  return groups === undefined ? undefined : ipv6(groups);
}

/** `parseIp` for what is known to be an address. */
export function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new TypeError(`${JSON.stringify(text)} is no numeric address`);
  return parsed;
}

export function isWildcard({ parts }: Ip): boolean {
  return parts.every((part) => part === 0);
}

export function isLoopback({ family, text, parts }: Ip): boolean {
  return family === 4 ? parts[0] === 127 : text === "::1";
}

export function isMulticast({ family, parts }: Ip): boolean {
  const [first = 0] = parts;
  return family === 4 ? first >= 224 && first < 240 : first >= 0xff00;
}

export function isBroadcast({ text }: Ip): boolean {
  return text === "255.255.255.255";
}

/** How a socket that takes both families shows an IPv4 address: `::ffff:10.0.0.1`. */
export function mapped({ parts }: Ip): Ip {
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  return ipv6([0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d]);
}

/** The IPv4 address that a mapped one stands for; every other as it is. */
export function unmapped(address: Ip): Ip {
  if (!isMapped(address)) return address;
  const [high = 0, low = 0] = address.parts.slice(6);
  const parts = [high >> 8, high & 255, low >> 8, low & 255];
  return { family: 4, text: parts.join("."), parts };
}

/** For messages. */
export function describeEndpoint(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function isMapped({ family, parts }: Ip): boolean {
  return family === 6 && parts[5] === 0xffff && parts.slice(0, 5).every((part) => part === 0);
}

function ipv6(parts: readonly number[]): Ip {
  const address: Ip = { family: 6, text: "", parts };
  return {
    ...address,
    text: isMapped(address) ? `::ffff:${unmapped(address).text}` : formatGroups(parts),
  };
}

function parseFour(text: string): number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const parts = text.split(".");
  const isGood = parts.every((part) => Number(part) < 256 && String(Number(part)) === part);
  return isGood ? parts.map(Number) : undefined;
}

function parseGroups(text: string): number[] | undefined {
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const [before, after] = sides.map(groupsOf);
  if (before === undefined) return undefined;
  if (sides.length === 1) return before.length === 8 ? before : undefined;
  if (after === undefined || before.length + after.length > 7) return undefined;
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after];
}

function groupsOf(side: string): number[] | undefined {
  if (side === "") return [];
  const groups: number[] = [];
  const words = side.split(":");
  for (const [index, word] of words.entries()) {
    const four = index === words.length - 1 ? parseFour(word) : undefined;
    if (four !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = four;
      groups.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-f]{1,4}$/i.test(word)) {
      groups.push(Number.parseInt(word, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

/** The longest run of at least two zero groups becomes `::`, the first of equally long ones. */
function formatGroups(parts: readonly number[]): string {
  let start = -1;
  let length = 1;
  for (let from = 0; from < parts.length; from++) {
    let to = from;
    while (to < parts.length && parts[to] === 0) to += 1;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const hex = parts.map((part) => part.toString(16));
  if (start < 0) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}
