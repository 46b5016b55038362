import { ambientScope } from "../core/ambient.ts";
import { requireFunction } from "../core/arguments.ts";
import { InvalidStateError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import type { TaskHandle } from "../core/task.ts";
import type { Backend } from "../platform/backend.ts";
import { setBackend } from "../platform/capabilities.ts";
import type { HostNetwork } from "./net/host-network.ts";

/** A program that runs on a simulated host. */
export type HostMain = (group: TaskGroup) => unknown;

/** One host of a simulated world. Made by `world.host`. */
export class SimulatedHost {
  /** Unique in its world. */
  readonly name: string;
  /** Its numeric addresses beside loopback. */
  readonly addresses: readonly string[];
  /** @internal */ readonly backend: Backend;
  /** @internal */ readonly network: HostNetwork;

  /** @internal */
  constructor(name: string, backend: Backend, network: HostNetwork) {
    this.name = name;
    this.addresses = network.addresses.map(({ text }) => text);
    this.backend = backend;
    this.network = network;
  }

  /**
   * Starts `main` on this host, in a task and a group of its own. It is cancelled when the run's own main has ended, as servers
   * are meant to be; what must be waited for, `run` or the handle waits for. What it throws fails the run.
   *
   * @returns the task's handle.
   * @throws InvalidStateError outside a run.
   */
  start(main: HostMain): TaskHandle {
    requireFunction("SimulatedHost.start", main);
    const { system } = ambientScope().runState;
    if (system === null) {
      throw new InvalidStateError(
        "SimulatedHost.start: called outside a run; call it inside simulate(options, main)",
      );
    }
    return system.startSoon(
      () => {
        setBackend(ambientScope(), this.backend);
        return taskGroup(main);
      },
      { name: this.name },
    );
  }

  /**
   * Runs `fn` on this host, as a part of the calling task: what `fn` opens, it opens here.
   *
   * @returns what `fn` returns.
   * @throws what `fn` throws.
   */
  async run<T>(fn: () => T | PromiseLike<T>): Promise<T> {
    requireFunction("SimulatedHost.run", fn);
    const result = await new CancelScope().run((scope) => {
      setBackend(scope, this.backend);
      return fn();
    });
    // Nobody can cancel that scope itself, so it always has the result.
    return result as T;
  }
}
