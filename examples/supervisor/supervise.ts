import { CancelScope, gather, now, sleep, taskGroup } from "arborio";
import {
  type ByteReceiveStream,
  type Command,
  openProcess,
  type ProcessExit,
} from "arborio/process";
import { type RestartLimits, Restarts } from "./restarts.ts";

/** A program that shall run. */
export interface Service {
  readonly name: string;
  readonly command: Command;
  /** When it is started again after its end. Default `"always"`. */
  readonly restart?: "always" | "on-failure" | "never";
}

/** How services are looked after. */
export interface SuperviseOptions {
  /** Gets each line that a service writes, and what happens to it. */
  readonly log: (service: string, line: string) => void;
  /** Milliseconds that a service has to end when it is told to. Default 5,000. */
  readonly graceMs?: number;
  readonly limits?: Partial<RestartLimits>;
}

const LIMITS: RestartLimits = {
  firstDelayMs: 100,
  delayMsMax: 30_000,
  restartsMax: 10,
  windowMs: 60_000,
};

/** Longest line that is kept together, in characters: a service that never ends its line must not fill the memory. */
const LINE_LENGTH_MAX = 8192;

/** Who still holds the output of a service that is gone is not waited for longer, in milliseconds. */
const LAST_WORDS_MS = 1000;

/** Runs all services until each has ended for good. If one ends too often, all are ended, and it throws. */
export async function supervise(
  services: readonly Service[],
  options: SuperviseOptions,
): Promise<void> {
  await taskGroup((group) => {
    for (const service of services)
      group.startSoon(() => keepRunning(service, options), { name: service.name });
  });
}

async function keepRunning(service: Service, options: SuperviseOptions): Promise<void> {
  const { name, restart = "always" } = service;
  const restarts = new Restarts({ ...LIMITS, ...options.limits });
  for (;;) {
    const startedMs = now();
    const exit = await runOnce(service, options);
    options.log(name, `ended ${describe(exit)}`);
    if (restart === "never" || (restart === "on-failure" && exit.code === 0)) return;
    const delayMs = restarts.next(now(), now() - startedMs);
    if (delayMs === undefined) throw new Error(`${name}: ended too often; given up`);
    options.log(name, `starts again in ${delayMs} ms`);
    await sleep(delayMs);
  }
}

async function runOnce(
  service: Service,
  { log, graceMs = 5000 }: SuperviseOptions,
): Promise<ProcessExit> {
  await using child = await openProcess(service.command, { stderr: "pipe", graceMs });
  log(service.name, `started as ${child.pid}`);
  return await taskGroup(async (group) => {
    // Its last words are wanted too when this is told to end.
    const reading = new CancelScope({ shield: true });
    group.startSoon(() =>
      reading.run(() =>
        gather(
          [child.stdout, child.stderr].map(
            (output) => () => logLines(output, (line) => log(service.name, `| ${line}`)),
          ),
        ),
      ),
    );
    try {
      return await child.wait();
    } finally {
      // What it has left running would be in the way of the next one, and hold its output open.
      await child.stop();
      reading.deadline = now() + LAST_WORDS_MS;
    }
  });
}

async function logLines(output: ByteReceiveStream, log: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of output) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) log(line);
    if (rest.length <= LINE_LENGTH_MAX) continue;
    log(rest);
    rest = "";
  }
  if (rest !== "") log(rest);
}

function describe({ code, signal }: ProcessExit): string {
  return signal === undefined ? `with exit code ${code}` : `by ${signal}`;
}
