/**
 * What the table of gaps, `docs/gaps.md`, is made of: for each thing that a runtime may lack, a short program that does it by the
 * library's own functions, and finds out whether it works. `npm run gaps` runs them on every runtime and writes the table;
 * `gaps.test.ts` runs them again with the tests, so that the table is true and a gap that is closed is noticed.
 *
 * They use nothing of a runtime, so that the simulator can be asked too; and are no part of the published package.
 */
import { NotSupportedError } from "../../core/errors.ts";
import type { TaskGroup } from "../../core/task-group.ts";
import { run, type RunOptions } from "../../platform/run.ts";
import { failAfter } from "../../sync/timeouts.ts";

/** Something that a runtime may lack. */
export interface Probe {
  /** What it is, for people; unique. */
  readonly feature: string;
  /** Does it. Throws `NotSupportedError` or `Gap` if it does not work, `Untestable` if this machine cannot tell. */
  readonly check: (group: TaskGroup) => Promise<void>;
}

/** Probes of one kind. */
export interface ProbeArea {
  readonly title: string;
  /** Whether the simulator has this by itself; otherwise it has what its runtime has. Default `true`. */
  readonly simulated?: false;
  readonly probes: readonly Probe[];
}

/** What came of a probe. */
export interface ProbeResult {
  readonly feature: string;
  readonly verdict: "yes" | "no" | "untestable";
  /** Why not; empty for `"yes"`. */
  readonly reason: string;
}

/** It does not work, and this is how it shows. The text must be the same on every machine. */
export class Gap extends Error {}

/** This machine cannot tell whether it works. */
export class Untestable extends Error {}

/** For one probe, with the slowest runtime on a busy machine; a thing that hangs does not work. */
const PROBE_MS_MAX = 20_000;

/** What the library says of each thing that a backend cannot do; the table need not repeat it. */
const REFUSED = / cannot do this; docs\/gaps\.md lists which can$/;

/**
 * Runs a probe.
 *
 * @throws what it threw if that says nothing about the feature: then the probe is wrong, or the library.
 */
export async function runProbe(probe: Probe, options: RunOptions): Promise<ProbeResult> {
  const { feature } = probe;
  try {
    await run((group) => failAfter(PROBE_MS_MAX, () => probe.check(group)), {
      signals: [],
      ...options,
    });
    return { feature, verdict: "yes", reason: "" };
  } catch (error) {
    if (error instanceof Untestable)
      return { feature, verdict: "untestable", reason: error.message };
    if (error instanceof Gap) return { feature, verdict: "no", reason: error.message };
    if (!(error instanceof NotSupportedError)) throw error;
    const said = REFUSED.test(error.message) ? "" : `: ${error.message}`;
    return { feature, verdict: "no", reason: `\`NotSupportedError\`${said}` };
  }
}

/** Runs the probes of an area, one after the other. */
export async function runArea(area: ProbeArea, options: RunOptions): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (const probe of area.probes) results.push(await runProbe(probe, options));
  return results;
}

/** Throws `Gap` with this text unless it is so. */
export function expect(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new Gap(otherwise);
}
