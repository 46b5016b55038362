import type { Backend } from "../../platform/backend.ts";
import { HostClock } from "../shared/clock.ts";
import { denoProcess } from "./process.ts";

export { ambient } from "../shared/ambient.ts";

/** The backend of Deno. */
export const denoBackend: Backend = {
  name: "deno",
  clock: new HostClock(),
  entropy: { random: () => Math.random() },
  process: denoProcess,
};

export { denoBackend as backend };
