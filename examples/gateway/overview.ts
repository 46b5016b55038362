import { ExceptionGroup, gather, hedge, moveOnAfter } from "arborio";
import {
  cacheOutcome,
  type CollectedResponse,
  type HttpClient,
  RequestFailedError,
  StatusError,
} from "@arborio/http";

/** One part of the overview. */
export interface Part {
  readonly name: string;
  /** Where it can be had, the same at each of them, the best first. */
  readonly urls: readonly string[];
}

/** How a part came out. */
export type PartResult =
  /** `isStale`: its service does not answer well, and this is what it said before. */
  | { readonly state: "ok"; readonly data: unknown; readonly isStale: boolean }
  | { readonly state: "timed out" }
  | { readonly state: "failed"; readonly why: string };

/** All parts. */
export type Overview = Readonly<Record<string, PartResult>>;

/** So long the best place is waited for before the next one is asked as well, in milliseconds: longer than most answers take. */
const HEDGE_AFTER_MS = 100;

/** Gets all parts at once. What is not there when `deadlineMs` have passed is left out, and nobody works on it any more. */
export async function fetchOverview(
  client: HttpClient,
  parts: readonly Part[],
  deadlineMs: number,
): Promise<Overview> {
  const overview: Record<string, PartResult> = {};
  for (const { name } of parts) overview[name] = { state: "timed out" };
  const fetchInto = async (part: Part): Promise<void> => {
    overview[part.name] = await fetchPart(client, part);
  };
  await moveOnAfter(deadlineMs, () => gather(parts.map((part) => () => fetchInto(part))));
  return overview;
}

async function fetchPart(client: HttpClient, { urls }: Part): Promise<PartResult> {
  const askers = urls.map((url) => () => ask(client, url));
  try {
    return await hedge(askers, { afterMs: HEDGE_AFTER_MS });
  } catch (error) {
    if (!(error instanceof ExceptionGroup)) throw error;
    return failed(error);
  }
}

async function ask(client: HttpClient, url: string): Promise<PartResult> {
  const response: CollectedResponse = await client.request(url, { raiseForStatus: true });
  return { state: "ok", data: response.json(), isStale: cacheOutcome(response) === "stale" };
}

/** @throws the errors if there is one among them that is no service's fault. */
function failed(errors: ExceptionGroup): PartResult {
  const reasons = errors.leaves().map(reasonOf);
  if (reasons.includes(undefined)) throw errors;
  if (reasons.every((reason) => reason === "timeout")) return { state: "timed out" };
  return { state: "failed", why: reasons.join(", ") };
}

/** What a service did wrong, without its address: it is not for everybody. `undefined`: nothing. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof RequestFailedError) return error.reason;
  if (error instanceof StatusError) return `status ${error.status}`;
  if (error instanceof SyntaxError) return "no JSON";
  return undefined;
}
