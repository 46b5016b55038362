import { compression } from "./compression.test.kit.ts";
import { files } from "./files.test.kit.ts";
import { missing } from "./missing.test.kit.ts";
import type { ProbeArea } from "./probe.test.kit.ts";
import { processes } from "./processes.test.kit.ts";
import { signals } from "./signals.test.kit.ts";
import { tcp } from "./tcp.test.kit.ts";
import { threads } from "./threads.test.kit.ts";
import { tls } from "./tls.test.kit.ts";
import { udp } from "./udp.test.kit.ts";
import { unix } from "./unix.test.kit.ts";

/** All probes, in the order of the table. */
export const areas: readonly ProbeArea[] = [
  tcp,
  unix,
  udp,
  tls,
  compression,
  signals,
  processes,
  threads,
  files,
  missing,
];
