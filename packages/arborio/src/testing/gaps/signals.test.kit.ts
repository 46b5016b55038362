import { currentBackend, requireCapability } from "../../platform/capabilities.ts";
import { openSignalReceiver } from "../../process/signal-receiver.ts";
import { moveOnAfter } from "../../sync/timeouts.ts";
import { expect, type ProbeArea } from "./probe.test.kit.ts";

/**
 * Without those that a runner of tests takes for itself: SIGINT, at which Deno's ends; SIGUSR1, at which Deno starts its debugger, whoever
 * receives it; SIGUSR2, at which Node's writes a report.
 */
const NAMES: readonly string[] = [
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGCHLD",
  "SIGWINCH",
  "SIGCONT",
  "SIGPIPE",
];

/** Longer than a signal to the own process takes. */
const COMES_MS = 1000;

export const signals: ProbeArea = {
  title: "Signals",
  probes: [
    {
      feature: `\`openSignalReceiver\`: ${NAMES.join(", ")}`,
      async check() {
        const group = requireCapability(currentBackend(), "signals", "openSignalReceiver");
        const lost: string[] = [];
        for (const name of NAMES) {
          using receiver = openSignalReceiver([name]);
          group.raise(name);
          if ((await moveOnAfter(COMES_MS, () => receiver.receive())) !== name) lost.push(name);
        }
        expect(lost.length === 0, `not ${lost.join(", ")}`);
      },
    },
  ],
};
