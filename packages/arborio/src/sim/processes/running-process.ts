import { ambientScope } from "../../core/ambient.ts";
import { isCancelled } from "../../core/cancelled.ts";
import { textOf } from "../../core/exception-text.ts";
import { CancelScope } from "../../core/scope.ts";
import type { Backend } from "../../platform/backend.ts";
import { setBackend } from "../../platform/capabilities.ts";
import type { ProcessExit } from "../../platform/processes.ts";
import type { StandardStreams } from "../../platform/standard-streams.ts";
import type { Wire } from "../../platform/wire.ts";
import type { VirtualClock } from "../clock.ts";
import { HostSignals } from "../signals.ts";
import type { InputEnd, OutputEnd } from "./pipe.ts";
import type { SimulatedProcess, SimulatedProgram } from "./program.ts";

/** Signals that end nothing if nobody listens for them. */
const HARMLESS: ReadonlySet<string> = new Set(["SIGCHLD", "SIGCONT", "SIGWINCH", "SIGTSTP"]);

/** What a process has as its standard streams. */
export interface Streams {
  readonly stdin: InputEnd;
  readonly stdout: OutputEnd;
  readonly stderr: OutputEnd;
}

/** @internal What a process is made with. */
export interface ProcessParts {
  readonly info: SimulatedProcess;
  readonly program: SimulatedProgram;
  /** Number of its group; 0: that of the host's own programs. */
  readonly group: number;
  readonly streams: Streams;
  readonly clock: VirtualClock;
  /** Called once. */
  readonly ended: (process: RunningProcess) => void;
}

/** A process that runs on a simulated host. */
export class RunningProcess {
  readonly info: SimulatedProcess;
  readonly group: number;
  readonly streams: Streams;
  readonly signals: HostSignals;
  readonly #clock: VirtualClock;
  readonly #program: SimulatedProgram;
  readonly #ended: (process: RunningProcess) => void;
  readonly #scope: CancelScope = new CancelScope();
  /** Into which its program writes. */
  readonly #wires: Wire[] = [];
  #exit: ProcessExit | null = null;
  #told: ((exit: ProcessExit) => void) | null = null;

  constructor(parts: ProcessParts) {
    this.info = parts.info;
    this.group = parts.group;
    this.streams = parts.streams;
    this.#clock = parts.clock;
    this.#program = parts.program;
    this.#ended = parts.ended;
    this.signals = new HostSignals(parts.clock, (name) => {
      if (!HARMLESS.has(name)) this.end({ signal: name });
    });
  }

  get exit(): ProcessExit | null {
    return this.#exit;
  }

  onExit(told: (exit: ProcessExit) => void): void {
    this.#told = told;
    const exit = this.#exit;
    if (exit !== null) this.#clock.after(1, () => told(exit));
  }

  /** Runs the program to its end, in a task of its own. */
  async run(backend: Backend): Promise<void> {
    setBackend(ambientScope(), backend);
    try {
      const code = await this.#scope.run(() => this.#program(this.info));
      this.end({ code: requireCode(code) });
    } catch (error) {
      if (!isCancelled(error)) {
        this.#crash(error);
        return;
      }
      // The world ends.
      this.end({ signal: "SIGKILL" });
      throw error;
    }
  }

  /** Its standard streams, as its program opens them. */
  get standardStreams(): StandardStreams {
    return {
      openInput: () => this.streams.stdin.openSource(),
      openOutput: (which) => {
        const wire = this.streams[which === "output" ? "stdout" : "stderr"].openWire();
        if (this.#exit === null) this.#wires.push(wire);
        else wire.close(false);
        return wire;
      },
    };
  }

  #crash(error: unknown): void {
    if (this.#exit !== null) return;
    // Past the library's stream, since a crash does not wait: what has no room is lost.
    this.streams.stderr.openWire().write(new TextEncoder().encode(`${textOf(error)}\n`));
    this.end({ code: 1 });
  }

  /** Ends it at once. The program is cancelled; what it does from now on has no effect on its streams. */
  end(exit: ProcessExit): void {
    if (this.#exit !== null) return;
    this.#exit = exit;
    for (const wire of this.#wires) wire.close(false);
    this.streams.stdin.release();
    this.streams.stdout.release();
    this.streams.stderr.release();
    this.#ended(this);
    this.#scope.cancel(`process ${this.info.pid} has ended`);
    this.#told?.(exit);
  }
}

function requireCode(code: unknown): number {
  if (code === undefined) return 0;
  if (Number.isInteger(code) && (code as number) >= 0 && (code as number) <= 255)
    return code as number;
  throw new RangeError(`a simulated program: got the exit code ${String(code)}, needs 0 to 255`);
}
