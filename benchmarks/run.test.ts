/** What the command line promises: refusals, the form of the rows, and the ratios in them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { coreSuite } from "./core/suite.ts";
import { median, rowsOf, type Row } from "./harness/aggregate.ts";
import { whyMissing, type Machine } from "./harness/hosts.ts";
import { parseOptions, UsageError } from "./harness/options.ts";
import { formatTables } from "./harness/report.ts";
import { amountOf, slotsOf } from "./harness/schedule.ts";
import type { Subject, TimedBench } from "./harness/suite.ts";
import { whyNoLoad } from "./net/measure.ts";
import { netSuite } from "./net/suite.ts";

const entry = fileURLToPath(new URL("run.ts", import.meta.url));
const parse = (...args: string[]) => parseOptions(args, [coreSuite]);

interface Exit {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the entry as `npm run bench` does. */
function runEntry(...args: string[]): Promise<Exit> {
  return new Promise((resolve) => {
    const argv = ["--conditions=@arborio/source", entry, ...args];
    execFile(process.execPath, argv, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("the command line", () => {
  test("refuses an unknown suite, and names those there are", () => {
    assert.throws(() => parse("nets"), new UsageError('unknown suite "nets": there are core'));
  });

  test("refuses a missing suite, a second one, and an unknown option", () => {
    assert.throws(() => parse(), UsageError);
    assert.throws(() => parse("core", "core"), UsageError);
    assert.throws(() => parse("core", "--fast"), UsageError);
  });

  test("refuses an unknown runtime, bench and subject", () => {
    assert.throws(() => parse("core", "--runtime", "browser"), /unknown runtime "browser"/);
    assert.throws(() => parse("core", "--bench", "spwan"), /unknown bench "spwan"/);
    assert.throws(() => parse("core", "--subject", "rxjs"), /unknown subject "rxjs"/);
  });

  test("refuses rounds that are not a whole number above 0", () => {
    for (const text of ["0", "-1", "1.5", "many"]) {
      assert.throws(() => parse("core", `--rounds=${text}`), /a whole number above 0 is needed/);
    }
  });

  test("measures all runtimes and benches unless told otherwise", () => {
    const options = parse("core");
    assert.deepEqual(options.runtimes, ["node", "bun", "deno"]);
    assert.equal(options.benches, undefined);
    assert.deepEqual(parse("core", "--runtime", "bun").runtimes, ["bun"]);
  });

  test("a wrong call exits with 2 and shows the usage", async () => {
    const { code, stderr } = await runEntry("core", "--runtime", "browser");
    assert.equal(code, 2);
    assert.match(stderr, /unknown runtime "browser"[^]*usage: npm run bench/);
  });
});

describe("rows", () => {
  const bench = { name: "spawn", unit: "ns" } as const;

  test("median takes the middle, or the mean of the two middles", () => {
    assert.equal(median([30, 10, 20]), 20);
    assert.equal(median([40, 10, 20, 30]), 25);
    assert.throws(() => median([]), RangeError);
  });

  test("ratioToOurs is how many times as much the subject needs", () => {
    const rows = rowsOf(bench, "bun", [
      { subject: "trio", rounds: [[900], [1000, 1200]] },
      { subject: "arborio", rounds: [[100, 80, 120]] },
    ]);
    assert.deepEqual(rows, [
      { ...row("trio"), median: 1000, min: 900, max: 1200, ratioToOurs: 10 },
      { ...row("arborio"), median: 100, min: 80, max: 120, ratioToOurs: 1 },
    ]);
  });

  test("without ours there is no ratio", () => {
    assert.equal(rowsOf(bench, "bun", [{ subject: "trio", rounds: [[1]] }])[0]?.ratioToOurs, null);
  });

  test("a paired figure has ours ÷ theirs of each round that has both", () => {
    const paired = { ...bench, paired: true };
    const [ours, theirs] = rowsOf(paired, "node", [
      { subject: "arborio", rounds: [[100], [300], [90], [10]] },
      { subject: "srvx", rounds: [[200], [400], [], [100]] },
    ]);
    assert.deepEqual(ours?.oursToTheirs, { median: 1, min: 1, max: 1 });
    assert.deepEqual(theirs?.oursToTheirs, { median: 0.5, min: 0.1, max: 0.75 });
    const [alone] = rowsOf(paired, "node", [{ subject: "srvx", rounds: [[200]] }]);
    assert.ok(alone !== undefined && !("oursToTheirs" in alone));
  });

  function row(subject: string): Pick<Row, "bench" | "subject" | "runtime" | "unit"> {
    return { bench: "spawn", subject, runtime: "bun", unit: "ns" };
  }
});

describe("targets", () => {
  const judged = (name: string, rows: readonly Partial<Row>[]): string => {
    const full = rows.map(
      (row) => ({ runtime: "node", unit: "ns", min: 1, max: 1, ...row }) as Row,
    );
    const benches = [...coreSuite.benches, ...netSuite.benches];
    return formatTables(
      benches.filter((bench) => bench.name === name),
      full,
    );
  };
  const ours = { bench: "spawn", subject: "arborio", median: 1000, ratioToOurs: 1 };

  test("a peer's ratio is met, not met, or not measured", () => {
    const trio = { bench: "spawn", subject: "trio", median: 7000, ratioToOurs: 7 };
    const effect = { bench: "spawn", subject: "effect", median: 1400, ratioToOurs: 1.4 };
    const text = judged("spawn", [ours, trio, effect]);
    assert.match(text, /trio at least 7x: 7\.00x, met/);
    assert.match(text, /effect at least 1\.5x: 1\.40x, NOT MET/);
    assert.match(text, /anyio-uvloop at least 12x: not measured/);
  });

  test("an absolute figure is judged by our median", () => {
    const text = judged("checkpoint", [{ ...ours, bench: "checkpoint", median: 61 }]);
    assert.match(text, /at most 60\.0 ns: 61\.0 ns, NOT MET/);
  });

  test("linear means about the same per operation as the smaller bench", () => {
    const small = { ...ours, bench: "cancel", median: 1000 };
    const met = judged("cancel-1m", [small, { ...ours, bench: "cancel-1m", median: 1290 }]);
    const not = judged("cancel-1m", [small, { ...ours, bench: "cancel-1m", median: 1310 }]);
    assert.match(met, /linear, 0\.7x to 1\.3x cancel: 1\.29x, met/);
    assert.match(not, /NOT MET/);
  });

  test("await inside may take 1.05 times of outside", () => {
    const outside = { bench: "await", subject: "promise", median: 100, ratioToOurs: 100 / 104 };
    assert.match(
      judged("await", [{ ...ours, bench: "await", median: 104 }, outside]),
      /1\.04x, met/,
    );
  });
});

describe("a bench with several figures", () => {
  const bench = netSuite.benches.filter(({ name }) => name === "tcp-echo-1k-10");
  const row = (figure: string, subject: string, median: number, runtime = "node") =>
    ({
      bench: figure,
      subject,
      runtime,
      unit: "ns",
      min: 1,
      max: 1,
      median,
      ratioToOurs: median / 10_000,
    }) as Row;

  test("has a table and a verdict for each, and the rate of the first", () => {
    const text = formatTables(bench, [
      row("tcp-echo-1k-10", "arborio", 10_000),
      row("tcp-echo-1k-10", "raw", 9600),
      row("tcp-echo-1k-10-cpu", "arborio", 10_000),
      row("tcp-echo-1k-10-cpu", "raw", 9400),
    ]);
    assert.match(text, /tcp-echo-1k-10 on node[^]*per second\n.*arborio.*100,000\n/);
    assert.match(text, /raw at least 0\.95x: 0\.96x, met[^]*tcp-echo-1k-10-cpu on node/);
    assert.match(text, /tcp-echo-1k-10-cpu on node[^]*raw at least 0\.95x: 0\.94x, NOT MET/);
  });

  test("a target for some runtimes is not asked of the others", () => {
    const text = formatTables(bench, [row("tcp-echo-1k-10", "arborio", 10_000, "bun")]);
    assert.match(text, /raw at least 0\.9x: not measured/);
    assert.doesNotMatch(text, /anyio-uvloop/);
  });
});

describe("the schedule", () => {
  const spawn = coreSuite.benches.find((bench) => bench.name === "spawn") as TimedBench;

  test("a script runs once on each runtime, a Python subject once", () => {
    const slots = slotsOf(coreSuite, spawn, {
      runtimes: ["node", "bun"],
      benches: undefined,
      subjects: new Set(["arborio", "effect", "trio"]),
    });
    assert.deepEqual(
      slots.map(({ subject, runtime }) => [subject.name, runtime]),
      [
        ["arborio", "node"],
        ["arborio", "bun"],
        ["effect", "node"],
        ["effect", "bun"],
        ["trio", undefined],
      ],
    );
  });

  test("a subject of some runtimes runs on those, one in C once", () => {
    const [bench] = netSuite.benches;
    assert.ok(bench?.kind === "served");
    const slots = slotsOf(netSuite, bench, {
      runtimes: ["node", "deno"],
      benches: undefined,
      subjects: new Set(["raw", "node-net", "c-epoll"]),
    });
    assert.deepEqual(
      slots.map(({ subject, runtime }) => [subject.name, runtime]),
      [
        ["raw", "node"],
        ["raw", "deno"],
        ["node-net", "deno"],
        ["c-epoll", undefined],
      ],
    );
  });

  test("a quick run does a small part, and never warms up longer than it measures", () => {
    for (const bench of coreSuite.benches) {
      if (bench.kind !== "timed") continue;
      for (const slot of slotsOf(coreSuite, bench, {
        runtimes: ["node"],
        benches: undefined,
        subjects: undefined,
      })) {
        const quick = amountOf(slot, true);
        const full = amountOf(slot, false);
        assert.ok(
          quick.ops * 10 < full.ops && quick.warmUpOps <= quick.ops,
          `${bench.name} of ${slot.subject.name}`,
        );
      }
    }
  });
});

describe("what is missing", () => {
  const subject = (name: string): Subject => {
    const found = coreSuite.subjects.find((each) => each.name === name);
    assert.ok(found);
    return found;
  };
  const machine = (python: Record<string, string>, packages: Record<string, string>): Machine => ({
    runtimes: new Map(),
    python: new Map(Object.entries(python)),
    packages: new Map(Object.entries(packages)),
    suiteMissing: undefined,
  });

  test("is skipped with the command that installs it", () => {
    const bare = machine({ python: "3.11.2", anyio: "3.6.2" }, {});
    assert.match(
      whyMissing(subject("anyio-uvloop"), bare) ?? "",
      /apt-get install python3-uvloop$/,
    );
    assert.match(whyMissing(subject("effect"), bare) ?? "", /npm ci --prefix benchmarks$/);
    assert.equal(whyMissing(subject("asyncio"), bare), undefined);
    assert.equal(whyMissing(subject("promise"), bare), undefined);
  });

  test("a Python that is absent or too old is said so", () => {
    assert.match(whyMissing(subject("asyncio"), machine({}, {})) ?? "", /^no /);
    assert.match(
      whyMissing(subject("asyncio"), machine({ python: "3.9.2" }, {})) ?? "",
      /3\.11 is needed/,
    );
  });
});

test("a quick run writes rows of the promised form", async () => {
  const folder = await mkdtemp(join(tmpdir(), "arborio-bench-"));
  try {
    const file = join(folder, "rows.json");
    const only = [
      "--runtime",
      "node",
      "--bench",
      "spawn",
      "--subject",
      "arborio",
      "--subject",
      "promise",
    ];
    const { code, stdout, stderr } = await runEntry("core", "--quick", ...only, "--json", file);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /spawn on node/);
    const rows = JSON.parse(await readFile(file, "utf8")) as Row[];
    assert.deepEqual(
      rows.map(({ subject }) => subject),
      ["arborio", "promise"],
    );
    for (const row of rows) {
      const keys = ["bench", "subject", "runtime", "unit", "median", "min", "max", "ratioToOurs"];
      assert.deepEqual(Object.keys(row), keys);
      assert.deepEqual([row.bench, row.runtime, row.unit], ["spawn", "node", "ns"]);
      assert.ok(row.min > 0 && row.min <= row.median && row.median <= row.max);
    }
    const [ours, theirs] = rows;
    assert.equal(ours?.ratioToOurs, 1);
    assert.equal(theirs?.ratioToOurs, (theirs?.median ?? NaN) / (ours?.median ?? NaN));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test(
  "a quick run of net has figures for every subject of each kind",
  { skip: await whyNoLoad() },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "arborio-bench-"));
    try {
      const file = join(folder, "rows.json");
      const only = ["--runtime", "node", "--bench", "tcp-echo-1k-10", "--bench", "tcp-idle"];
      const subjects = ["arborio", "raw", "anyio-trio", "c-epoll"];
      const chosen = subjects.flatMap((subject) => ["--subject", subject]);
      const { code, stderr } = await runEntry("net", "--quick", ...only, ...chosen, "--json", file);
      assert.equal(code, 0, stderr);
      const rows = JSON.parse(await readFile(file, "utf8")) as Row[];
      assert.deepEqual(
        rows.map(({ bench, subject }) => [bench, subject]),
        ["tcp-echo-1k-10", "tcp-echo-1k-10-cpu", "tcp-idle"].flatMap((bench) =>
          subjects.map((subject) => [bench, subject]),
        ),
      );
      for (const row of rows) {
        assert.equal(row.unit, row.bench === "tcp-idle" ? "B" : "ns");
        assert.ok(Number.isFinite(row.median), `${row.bench} of ${row.subject}`);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
