/** A program that stands for a real one, on a simulated host. */

/**
 * What a program does. It is written as a real one: `standardInput`, `standardOutput`, `standardError` and `openSignalReceiver` of
 * `arborio/process` are those of its process; files and network are those of its host; it may start other programs.
 *
 * @returns its exit code, 0 to 255, or nothing for 0. If it throws, it writes the error to its standard error, and the code is 1.
 */
export type SimulatedProgram = (
  process: SimulatedProcess,
) => number | void | PromiseLike<number | void>;

/** A process on a simulated host. */
export interface SimulatedProcess {
  /** Its number, unique on its host. */
  readonly pid: number;
  /** The program, and its arguments. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Its environment. A simulated host has none to inherit. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working directory. */
  readonly cwd: string;
}
