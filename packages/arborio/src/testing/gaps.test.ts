/** That `docs/gaps.md` is true on the runtime that runs the tests, and in the simulator on it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { hostBackend } from "../platform/host.ts";
import type { RunOptions } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { areas } from "./gaps/index.test.kit.ts";
import { type Column, parsePage, renderPage } from "./gaps/page.test.kit.ts";
import { Gap, type ProbeArea, type ProbeResult, runArea, runProbe } from "./gaps/probe.test.kit.ts";

const page = readFileSync(join(repository(), "docs/gaps.md"), "utf8");
const columns = parsePage(page);

for (const area of areas) {
  defineTest(area, hostColumn(), {});
  if (area.simulated ?? true) defineTest(area, "simulator", { backend: simulator() });
}

function defineTest(area: ProbeArea, name: string, options: RunOptions): void {
  const title = `docs/gaps.md: ${area.title}, ${name}`;
  const column = columns.find((one) => one.name === name);
  if (column === undefined) {
    console.log(`# skip ${title}: the page is about other versions`);
    test(title, { skip: "the page is about other versions" }, () => {});
    return;
  }
  test(title, async () => {
    const found = await runArea(area, options);
    const untestable = found.filter(({ verdict }) => verdict === "untestable");
    for (const { feature, reason } of untestable)
      console.log(`# skip ${title}: ${feature}: ${reason}`);
    const isTestable = ({ feature }: ProbeResult): boolean =>
      untestable.every((one) => one.feature !== feature);
    const told = column.results[area.title] ?? [];
    assert.deepEqual(
      describe(found.filter(isTestable)),
      describe(told.filter(isTestable)),
      "see npm run gaps",
    );
  });
}

function describe(results: readonly ProbeResult[]): Record<string, string> {
  return Object.fromEntries(
    results.map(({ feature, verdict, reason }) => [feature, `${verdict} ${reason}`.trim()]),
  );
}

test("docs/gaps.md: has nothing but what the probes tell, each once", () => {
  const features = areas.flatMap(({ title, probes }) =>
    probes.map((probe) => `${title}: ${probe.feature}`),
  );
  assert.deepEqual(new Set(features).size, features.length);
  const told = columns.flatMap(({ results }) =>
    Object.entries(results).flatMap(([title, all]) =>
      all.map(({ feature }) => `${title}: ${feature}`),
    ),
  );
  assert.deepEqual([...new Set(told)].sort(), features.sort());
});

test("renderPage, parsePage: what is written is read again", () => {
  const yes = { feature: "a `b`: c", verdict: "yes", reason: "" } as const;
  const no = {
    feature: "d, e (f)",
    verdict: "no",
    reason: "`NotSupportedError`: g, h: i",
  } as const;
  const other = { ...no, reason: "nothing; comes" };
  const written: Column[] = [
    { name: "Node 26", results: { One: [yes, no], Two: [yes] } },
    { name: "Bun", results: { One: [{ ...yes, verdict: "no", reason: "x" }, other], Two: [yes] } },
    { name: "simulator", results: { One: [yes, no] } },
  ];
  assert.deepEqual(parsePage(renderPage(written, ["Bun 1"])), written);
  // Formatting aligns the columns.
  const aligned = renderPage(written, []).replaceAll(" |", "      |");
  assert.deepEqual(parsePage(aligned), written);
});

test("runProbe: tells gaps from what says nothing about the feature", async () => {
  const probe = (check: () => Promise<void>): Promise<ProbeResult> =>
    runProbe({ feature: "x", check }, {});
  assert.deepEqual(await probe(async () => {}), { feature: "x", verdict: "yes", reason: "" });
  const gap = await probe(async () => {
    throw new Gap("why");
  });
  assert.deepEqual(gap, { feature: "x", verdict: "no", reason: "why" });
  const broken = probe(async () => {
    throw new TypeError("a mistake");
  });
  await assert.rejects(broken, TypeError);
});

/** The column of the runtime that runs this. */
function hostColumn(): string {
  if (hostBackend.name !== "node") return hostBackend.name === "bun" ? "Bun" : "Deno";
  return `Node ${process.versions.node.split(".")[0]}`;
}

/** From the source and from a compiled copy of this file alike. */
function repository(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "docs/gaps.md"))) {
    if (folder === dirname(folder))
      throw new Error("docs/gaps.md is missing: npm run gaps writes it");
    folder = dirname(folder);
  }
  return folder;
}
