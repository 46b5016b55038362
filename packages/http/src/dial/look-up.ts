import { Event, moveOnAfter, SystemError, taskGroup } from "arborio";
import { type IpFamily, lookup } from "arborio/net";

/**
 * So long IPv6 addresses are waited for once there are some of IPv4, in milliseconds (RFC 8305 §3): there are resolvers that never
 * answer questions for IPv6.
 */
const RESOLUTION_DELAY_MS = 50;

/**
 * The addresses of a name, as the system's resolver knows them, the families in turns, IPv6 first (RFC 8305 §4).
 *
 * @throws SystemError if none is known.
 */
export async function lookUp(host: string): Promise<readonly string[]> {
  const found: Record<IpFamily, readonly string[]> = { 4: [], 6: [] };
  const errors: unknown[] = [];
  const search = async (family: IpFamily): Promise<void> => {
    try {
      found[family] = await lookup(host, { family });
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      errors.push(error);
    }
  };
  await taskGroup(async (group) => {
    const hasAnswer = new Event();
    group.startSoon(async () => {
      await search(6);
      hasAnswer.set();
    });
    await search(4);
    if (found[4].length === 0) await hasAnswer.wait();
    else await moveOnAfter(RESOLUTION_DELAY_MS, () => hasAnswer.wait());
    group.cancel("there are addresses");
  });
  const all = inTurns(found[6], found[4]);
  if (all.length > 0) return all;
  // That one family has none says less than that nobody could be asked.
  throw errors.find((error) => (error as SystemError).systemCode !== "ENOTFOUND") ?? errors[0];
}

function inTurns(first: readonly string[], second: readonly string[]): string[] {
  const all: string[] = [];
  for (let at = 0; at < Math.max(first.length, second.length); at++)
    all.push(...first.slice(at, at + 1), ...second.slice(at, at + 1));
  return all;
}
