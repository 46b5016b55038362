/** `npm run build`: emits `dist/` of every package. */

import { buildPackages } from "./lib/compile.ts";

await buildPackages({ typeCheck: true });
