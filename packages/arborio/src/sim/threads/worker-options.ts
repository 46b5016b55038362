import { describeValue, requireCount, requireKnown, requireOptions } from "../../core/arguments.ts";

/** How the threads and processes that run modules behave, on every simulated host. */
export interface WorkersOptions {
  /** How many processors a host has: as many calls it does at once by default. Default 4. */
  readonly processors?: number;
  /** Greatest time, in simulated milliseconds, until a call that was given to a worker begins there; how long it is, is the seed's. Default 20. */
  readonly serviceMsMax?: number;
  /** How likely it is, from 0 to 1, that a worker crashes while it works on a call. Default 0. */
  readonly crashRate?: number;
}

/** `WorkersOptions` with everything set. */
export type ResolvedWorkersOptions = Required<WorkersOptions>;

const DEFAULTS: ResolvedWorkersOptions = { processors: 4, serviceMsMax: 20, crashRate: 0 };

/** @throws RangeError, TypeError for wrong options. */
export function requireWorkersOptions(options: WorkersOptions): ResolvedWorkersOptions {
  const where = "simulator({ workers })";
  requireOptions(where, options, "{ crashRate: 0.1 }");
  requireKnown(where, options, { processors: true, serviceMsMax: true, crashRate: true });
  const {
    processors = DEFAULTS.processors,
    serviceMsMax = DEFAULTS.serviceMsMax,
    crashRate = DEFAULTS.crashRate,
  } = options;
  requireCount("simulator({ workers: { processors } })", processors, 1, false);
  requireRange("serviceMsMax", serviceMsMax, Number.MAX_SAFE_INTEGER);
  requireRange("crashRate", crashRate, 1);
  return { processors, serviceMsMax, crashRate };
}

function requireRange(name: string, value: unknown, max: number): void {
  if (typeof value === "number" && value >= 0 && value <= max) return;
  throw new RangeError(
    `simulator({ workers: { ${name} } }): got ${describeValue(value)}, needs a number from 0 to ${max}`,
  );
}
