/** Which case processes a run consists of, and in which order they start. */
import {
  amountFor,
  type Amount,
  type Bench,
  type RuntimeName,
  type ServedBench,
  type StaticBench,
  type Subject,
  type Suite,
  type TimedBench,
} from "./suite.ts";

/** A bench that is measured anew in each round. */
export type RoundBench = TimedBench | ServedBench;

/** One process to start in each round. Only a script has a runtime: the figures of others stand beside each of ours. */
export interface Slot<B extends RoundBench = RoundBench> {
  readonly bench: B;
  readonly subject: Subject;
  readonly runtime: RuntimeName | undefined;
}

export interface Selection {
  readonly runtimes: readonly RuntimeName[];
  readonly benches: ReadonlySet<string> | undefined;
  readonly subjects: ReadonlySet<string> | undefined;
}

/** Divides the operations of a quick run; linear benches then still have more than one task. */
const QUICK_DIVISOR = 50;

/** The benches of a suite that were asked for. */
export function selectedBenches(suite: Suite, { benches }: Selection): Bench[] {
  return suite.benches.filter((each) => benches?.has(each.name) ?? true);
}

/** The subjects of a bench that were asked for, in the order of the suite. */
export function selectedSubjects(suite: Suite, bench: Bench, { subjects }: Selection): Subject[] {
  return suite.subjects.filter(
    (each) => bench.subjects.includes(each.name) && (subjects?.has(each.name) ?? true),
  );
}

/** The slots of one bench in the order A B C, so that a slow spell of the machine meets all subjects alike. */
export function slotsOf<B extends RoundBench>(
  suite: Suite,
  bench: B,
  selection: Selection,
): Slot<B>[] {
  return selectedSubjects(suite, bench, selection).flatMap((subject): Slot<B>[] =>
    subject.kind === "script"
      ? selection.runtimes
          .filter((runtime) => subject.runtimes?.includes(runtime) ?? true)
          .map((runtime) => ({ bench, subject, runtime }))
      : [{ bench, subject, runtime: undefined }],
  );
}

/** How much a slot has to do. */
export function amountOf(
  slot: Slot<TimedBench>,
  quick: boolean,
): Required<Pick<Amount, "ops" | "warmUpOps">> & Amount {
  const amount = amountFor(slot.bench, slot.subject.name);
  const ops = quick ? Math.ceil(amount.ops / QUICK_DIVISOR) : amount.ops;
  const warmUpOps = Math.min(ops, amount.warmUpOps ?? Math.ceil(ops / 10));
  return { ...amount, ops, warmUpOps };
}

export function isStatic(bench: Bench): bench is StaticBench {
  return bench.kind === "static";
}
