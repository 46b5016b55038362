import type { Kernel } from "./kernel.ts";
import type { CancelScope } from "./scope.ts";
import type { Task } from "./task.ts";
import type { TaskGroup } from "./task-group.ts";

/** Longest list of sites that dev mode remembers having reported. */
const SITES_MAX = 10_000;

/** Where this package's own frames come from, to leave them out of call sites. */
const OWN_FOLDER: string = import.meta.url.replace(/core\/[^/]*$/, "");

/** Options of a `RunState`. */
export interface RunStateOptions {
  readonly kernel: Kernel;
  /** What the tasks run on; core knows only its name. */
  readonly backend: { readonly name: string };
  /** Whether this stands for all code outside any run. */
  readonly outside: boolean;
  readonly dev: boolean;
  readonly onUnhandled: (error: unknown) => void;
  readonly warn: (message: string) => void;
}

/** What the tasks of one run share. */
export class RunState {
  readonly kernel: Kernel;
  /** What the tasks run on; core knows only its name. */
  readonly backend: { readonly name: string };
  /** Whether this stands for all code outside any run. */
  readonly outside: boolean;
  /** Records where waits and scopes began, and reports what floats. */
  readonly dev: boolean;
  readonly onUnhandled: (error: unknown) => void;
  readonly warn: (message: string) => void;
  /** Values of `RunLocal`s. */
  readonly locals: Map<object, unknown> = new Map();
  /** The task all others descend from; set right after construction. */
  root!: Task;
  /** Where system tasks run; absent outside runs. */
  system: TaskGroup | null = null;
  readonly #reported: Set<string> = new Set();
  readonly #sites: WeakMap<object, string> = new WeakMap();

  constructor(options: RunStateOptions) {
    this.kernel = options.kernel;
    this.backend = options.backend;
    this.outside = options.outside;
    this.dev = options.dev;
    this.onUnhandled = options.onUnhandled;
    this.warn = options.warn;
  }

  /** First frame of the caller that is not this package's own, as `"at file:line:column"`. */
  callSite(): string {
    const frames = new Error().stack?.split("\n") ?? [];
    const outside = frames.find(
      (frame, index) => index > 0 && /:\d+:\d+\)?$/.test(frame) && !isOwnFrame(frame),
    );
    return outside?.trim() ?? "at an unknown place";
  }

  /** Remembers where a wait began. */
  noteSite(wait: object): void {
    this.#sites.set(wait, this.callSite());
  }

  siteOf(wait: object): string | undefined {
    return this.#sites.get(wait);
  }

  /** Says, once per call site, that `scope` was left while something in it still waited. */
  reportFloating(scope: CancelScope): void {
    for (let member = scope.first; member !== null; member = scope.after(member)) {
      const site = member.isScope ? (member as CancelScope).extras?.openedAt : this.siteOf(member);
      const what = member.isScope ? "a scope" : "a wait";
      this.reportOnce(
        `${what} ${site ?? ""}`,
        `${what} begun ${site ?? "somewhere"} was not awaited: its scope in ${scope.task.describe()} was left before it ended, so it was cancelled`,
      );
    }
  }

  reportOnce(site: string, message: string): void {
    if (this.#reported.has(site) || this.#reported.size >= SITES_MAX) return;
    this.#reported.add(site);
    this.warn(`arborio: ${message}`);
  }
}

/** Tests lie beside the sources; their frames are a caller's. */
function isOwnFrame(frame: string): boolean {
  const path = OWN_FOLDER.replace(/^file:\/\//, "");
  return (frame.includes(OWN_FOLDER) || frame.includes(path)) && !frame.includes(".test.");
}
