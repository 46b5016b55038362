import type { ConnectTarget, ListenTarget } from "../../platform/network.ts";

/** What is connected to or listened on, for messages. */
export function describeTarget(target: ConnectTarget | ListenTarget): string {
  // As in Linux's own tools, `@` stands for the NUL that abstract names begin with.
  if (target.kind === "unix") return target.path.replace(/^\0/, "@");
  if (target.kind === "descriptor") return `descriptor ${target.descriptor}`;
  return target.host.includes(":")
    ? `[${target.host}]:${target.port}`
    : `${target.host}:${target.port}`;
}
