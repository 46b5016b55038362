/** Every operation of `Path` cancelled at each of its checkpoints, in the simulator. */
import { test } from "node:test";
import { Path } from "../fs.ts";
import { simulate } from "../sim.ts";
import { CASES, plantInto, sweep } from "./path-cases.test.kit.ts";

for (const [name, one] of Object.entries(CASES)) {
  test(`Path: ${name}, cancelled everywhere [simulator]`, () =>
    simulate({ seed: 5 }, ({ localhost }) =>
      sweep(new Path("/sweep"), plantInto(localhost.files), one),
    ));
}
