import { ambientScope } from "../../core/ambient.ts";
import { describeValue, requireFunction } from "../../core/arguments.ts";
import { InvalidStateError, NotSupportedError, SystemError } from "../../core/errors.ts";
import type { TaskGroup } from "../../core/task-group.ts";
import type { Backend } from "../../platform/backend.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import type {
  ProcessCommand,
  ProcessExit,
  ProcessHandle,
  Processes,
  StreamTarget,
} from "../../platform/processes.ts";
import type { Wire } from "../../platform/wire.ts";
import type { Chooser } from "../chooser.ts";
import type { VirtualClock } from "../clock.ts";
import type { FileTree } from "../files/file-tree.ts";
import type { HostFiles } from "../files/host-files.ts";
import { type SystemCode, systemError } from "../system-errors.ts";
import { type InputEnd, NO_OUTPUT, noInput, type OutputEnd, Pipe, PipeReader } from "./pipe.ts";
import type { SimulatedProcess, SimulatedProgram } from "./program.ts";
import { RunningProcess, type Streams } from "./running-process.ts";

/** Least and greatest microseconds that starting a program takes: those of today's machines. */
const START_MIN_US = 500;
const START_MAX_US = 5000;
/** How many such times there are to choose from; always the same, so that a choice means the same in every run. */
const STARTS = 1024;

/** Number of the group of the host's own programs, to which no signal is sent here. */
const HOST_GROUP = 0;

/** In the words of the real backends. */
function startError(attempt: string, code: SystemCode, text: string): SystemError {
  return new SystemError(`${attempt}: ${text} (${code})`, code);
}

/** @internal What the processes of a host are made with. */
export interface HostProcessesParts {
  readonly clock: VirtualClock;
  readonly chooser: Chooser;
  readonly files: FileTree;
  /** Opens a table of files for a process whose paths begin at `cwd`. */
  readonly openFiles: (cwd: string) => HostFiles;
  /** The backend for a process, which has files, signals, streams and processes of its own. */
  readonly backendFor: (own: Partial<Backend>) => Backend;
}

/** The programs of a simulated host, and the processes in which they run. */
export class HostProcesses {
  readonly clock: VirtualClock;
  readonly chooser: Chooser;
  readonly #files: FileTree;
  readonly #openFiles: (cwd: string) => HostFiles;
  readonly #backendFor: (own: Partial<Backend>) => Backend;
  readonly #programs: Map<string, SimulatedProgram> = new Map();
  readonly #running: Map<number, RunningProcess> = new Map();
  #lastPid = 0;

  constructor({ clock, chooser, files, openFiles, backendFor }: HostProcessesParts) {
    this.clock = clock;
    this.chooser = chooser;
    this.#files = files;
    this.#openFiles = openFiles;
    this.#backendFor = backendFor;
  }

  register(name: string, program: SimulatedProgram): void {
    requireFunction("host.program", program);
    if (typeof name !== "string" || name === "")
      throw new TypeError(`host.program: got ${describeValue(name)}, needs a name such as "git"`);
    this.#programs.set(name, program);
  }

  /** What runs, oldest first. */
  get running(): readonly SimulatedProcess[] {
    return [...this.#running.values()].map(({ info }) => info);
  }

  /** What the host's own programs start. */
  get ownProcesses(): Processes {
    const streams = { stdin: noInput(this.clock), stdout: NO_OUTPUT, stderr: NO_OUTPUT };
    return new StartedBy(this, { streams, group: HOST_GROUP, cwd: "/", env: {} });
  }

  /** Why the command cannot be started; `null` if it can. */
  refusal({ program, cwd, stdin, stdout, stderr }: ProcessCommand): Error | null {
    const attempt = `start ${JSON.stringify(program)}`;
    if ([stdin, stdout, stderr].some((target) => typeof target === "number"))
      return startError(attempt, "EBADF", "a descriptor for one of its streams is not open");
    const code = cwd === undefined ? null : this.#faultOfDirectory(cwd);
    if (code !== null) return systemError(`${attempt} in ${JSON.stringify(cwd)}`, code);
    if (this.#programs.has(program)) return null;
    return startError(attempt, "ENOENT", "there is no such program");
  }

  #faultOfDirectory(path: string): SystemCode | null {
    const node = this.#files.find(path);
    if (typeof node === "string") return node;
    return node.kind === "directory" ? null : "ENOTDIR";
  }

  /** Runs a program in a process of its own, below `system`. */
  launch(
    system: TaskGroup,
    command: ProcessCommand,
    parent: Parent,
    streams: Streams,
  ): RunningProcess {
    const pid = ++this.#lastPid;
    const env = Object.entries({ ...(command.clearEnv ? {} : parent.env), ...command.env });
    const info: SimulatedProcess = Object.freeze({
      pid,
      command: Object.freeze([command.program, ...command.args] as const),
      env: Object.freeze(
        Object.fromEntries(
          env.filter((entry): entry is [string, string] => entry[1] !== undefined),
        ),
      ),
      cwd: command.cwd ?? parent.cwd,
    });
    const files = this.#openFiles(info.cwd);
    const process = new RunningProcess({
      info,
      program: this.#programs.get(command.program) as SimulatedProgram,
      group: command.ownGroup ? pid : parent.group,
      streams,
      clock: this.clock,
      ended: () => {
        files.end();
        this.#running.delete(pid);
      },
    });
    this.#running.set(pid, process);
    const backend = this.#backendFor({
      files,
      signals: process.signals,
      standardStreams: process.standardStreams,
      processes: new StartedBy(this, {
        streams,
        group: process.group,
        cwd: info.cwd,
        env: info.env,
      }),
    });
    system.startSoon(() => process.run(backend), { name: `${command.program} (${pid})` });
    return process;
  }

  /** The machine goes down: all are killed. */
  crash(): void {
    for (const process of this.#running.values()) process.end({ signal: "SIGKILL" });
  }

  /** Those of a group that run. */
  membersOf(group: number): RunningProcess[] {
    return [...this.#running.values()].filter((process) => process.group === group);
  }
}

/** What a process gives to those that it starts. */
interface Parent {
  readonly streams: Streams;
  readonly group: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The processes contract, for one process or for the host's own programs. */
class StartedBy implements Processes {
  readonly #host: HostProcesses;
  readonly #parent: Parent;

  constructor(host: HostProcesses, parent: Parent) {
    this.#host = host;
    this.#parent = parent;
  }

  start(command: ProcessCommand, completion: Completion<ProcessHandle>): Withdraw {
    const { system } = ambientScope().runState;
    if (system === null)
      throw new InvalidStateError("openProcess: a simulated process needs the run that it is in");
    const here = this.#withAbsoluteCwd(command);
    const { clock, chooser } = this.#host;
    const range = START_MAX_US - START_MIN_US;
    const choice = chooser.pick("latency", STARTS);
    const delayUs = START_MIN_US + Math.round((range * choice) / (STARTS - 1));
    const timer = clock.after(delayUs, () => {
      const refusal = this.#host.refusal(here);
      if (refusal === null) completion.succeed(this.#launch(system, here));
      else completion.fail(refusal);
    });
    return () => timer.clear();
  }

  /** A relative one is below the directory of the process that asks. */
  #withAbsoluteCwd(command: ProcessCommand): ProcessCommand {
    const { cwd } = command;
    if (cwd === undefined || cwd === "" || cwd.startsWith("/")) return command;
    return { ...command, cwd: `${this.#parent.cwd}/${cwd}`.replace(/^\/\//, "/") };
  }

  #launch(system: TaskGroup, command: ProcessCommand): ProcessHandle {
    const { streams } = this.#parent;
    const [stdin, toChild] = this.#input(command.stdin, streams.stdin);
    const [stdout, fromChild] = this.#output(command.stdout, streams.stdout);
    const [stderr, errorsFromChild] = this.#output(command.stderr, streams.stderr);
    const own: Streams = { stdin, stdout, stderr };
    const process = this.#host.launch(system, command, this.#parent, own);
    return new SimulatedHandle(this.#host, process, command.ownGroup, {
      stdin: toChild,
      stdout: fromChild,
      stderr: errorsFromChild,
    });
  }

  #input(target: StreamTarget, inherited: InputEnd): [InputEnd, Wire | null] {
    const { clock, chooser } = this.#host;
    if (target === "pipe") {
      const pipe = new Pipe(clock, chooser);
      const { output } = pipe;
      return [pipe.input, pipe.openWriter(() => output.release())];
    }
    if (target !== "inherit") return [noInput(clock), null];
    inherited.hold();
    return [inherited, null];
  }

  #output(target: StreamTarget, inherited: OutputEnd): [OutputEnd, Wire | null] {
    const { clock, chooser } = this.#host;
    if (target === "pipe") {
      const pipe = new Pipe(clock, chooser);
      return [pipe.output, new PipeReader(pipe)];
    }
    if (target !== "inherit") return [NO_OUTPUT, null];
    inherited.hold();
    return [inherited, null];
  }
}

class SimulatedHandle implements ProcessHandle {
  readonly pid: number;
  readonly stdin: Wire | null;
  readonly stdout: Wire | null;
  readonly stderr: Wire | null;
  readonly #host: HostProcesses;
  readonly #process: RunningProcess;
  readonly #ownGroup: boolean;

  constructor(
    host: HostProcesses,
    process: RunningProcess,
    ownGroup: boolean,
    wires: Readonly<Record<"stdin" | "stdout" | "stderr", Wire | null>>,
  ) {
    this.pid = process.info.pid;
    this.stdin = wires.stdin;
    this.stdout = wires.stdout;
    this.stderr = wires.stderr;
    this.#host = host;
    this.#process = process;
    this.#ownGroup = ownGroup;
  }

  onExit(told: (exit: ProcessExit) => void): void {
    this.#process.onExit(told);
  }

  signal(name: string, to: "process" | "group"): void {
    if (this.#process.signals.numberOf(name) === 0) {
      throw new RangeError(
        `sendSignal: got ${describeValue(name)}, needs the name of a signal such as "SIGHUP"`,
      );
    }
    if (name === "SIGSTOP") {
      throw new NotSupportedError(
        'sendSignal("SIGSTOP"): the backend "simulator" cannot do this; a program of it cannot be stopped and go on',
      );
    }
    const isGroup = to === "group" && this.#ownGroup;
    const targets = isGroup ? this.#host.membersOf(this.pid) : [this.#process];
    for (const target of targets) {
      if (target.exit !== null) continue;
      if (name === "SIGKILL") target.end({ signal: name });
      else target.signals.raise(name);
    }
  }

  isGroupAlive(): boolean {
    if (this.#process.exit === null) return true;
    return this.#ownGroup && this.#host.membersOf(this.pid).length > 0;
  }
}
