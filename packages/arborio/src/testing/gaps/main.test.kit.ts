/** The program that `npm run gaps` starts on each runtime: runs all probes there and in the simulator, and prints what came of them. */
import "../../platform/host.ts";
import { simulator } from "../../sim/simulator.ts";
import { areas } from "./index.test.kit.ts";
import type { AreaResults } from "./page.test.kit.ts";
import { runArea } from "./probe.test.kit.ts";

const host: AreaResults = {};
const simulated: AreaResults = {};
for (const area of areas) {
  host[area.title] = await runArea(area, {});
  if (area.simulated ?? true) simulated[area.title] = await runArea(area, { backend: simulator() });
}
console.log(JSON.stringify({ host, simulated }));
