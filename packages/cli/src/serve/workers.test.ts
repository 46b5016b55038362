import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { CommandProcess, ModuleFolder, runCommand } from "../testing/command.test.kit.ts";

/** Tells which process answers, and can be slow. */
const APP = `
import process from "node:process";
import { sleep } from "arborio";
export default async function (request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/slow") {
    console.log("slow began");
    await sleep(1000);
    console.log("slow ended");
  }
  return new Response(String(process.pid), { headers: { connection: "close" } });
}
`;

const WORKERS = 2;

/** So many answers in a row from one of two workers have a chance of 2^-40. */
const ASKED_MAX = 40;

async function started(
  folder: ModuleFolder,
  text: string = APP,
): Promise<{ command: CommandProcess; url: string }> {
  const file = folder.write("app.mjs", text);
  const options = ["--json", "--host", "127.0.0.1", "--port", "0", "--workers", String(WORKERS)];
  const command = new CommandProcess(["serve", ...options, file]);
  const [line] = await command.until(/^\{"event":"listening".*\}$/m);
  return { command, url: (JSON.parse(line) as { url: string }).url };
}

async function ask(url: string): Promise<number> {
  return Number(await (await fetch(url)).text());
}

/** Asks until all workers have answered; their processes. A worker that comes up may not listen yet. */
async function pidsOf(url: string): Promise<Set<number>> {
  const pids = new Set<number>();
  for (let asked = 0; pids.size < WORKERS; asked++) {
    assert.ok(asked < ASKED_MAX * 10, `only ${[...pids].join()} answer`);
    pids.add(await ask(url));
    if (asked >= ASKED_MAX) await shortly();
  }
  return pids;
}

test("arborio serve --workers: several processes share a port; SIGTERM lets their requests finish, and none is left", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await started(folder);
  using _ = command;
  const pids = await pidsOf(url);
  assert.ok(!pids.has(command.pid));
  const slow = ask(`${url}slow`);
  await command.until(/slow began/);
  command.signal("SIGTERM");
  assert.ok(pids.has(await slow));
  const { code, out, err } = await command.ended();
  assert.equal(code, 0, err);
  assert.match(out, /slow ended/);
  assert.equal(out.match(/listening/g)?.length, 1);
  for (const pid of pids) assert.equal(isAlive(pid), false);
});

test("arborio serve --workers: a worker that crashes has a successor", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await started(folder);
  using _ = command;
  const before = await pidsOf(url);
  const [crashing] = before;
  process.kill(crashing as number, "SIGKILL");
  await command.until(
    /^arborio: worker \d was ended by SIGKILL; another one is started in 0\.5 s$/m,
  );
  const after = await pidsOf(url);
  assert.equal([...after].filter((pid) => before.has(pid)).length, WORKERS - 1);
});

test("arborio serve --workers: SIGHUP replaces all, and what goes on in the old ones is finished", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await started(folder);
  using _ = command;
  const before = await pidsOf(url);
  const slow = ask(`${url}slow`);
  await command.until(/slow began/);
  command.signal("SIGHUP");
  await command.until(/^arborio: 2 workers were replaced$/m);
  assert.ok(before.has(await slow));
  const after = await pidsOf(url);
  assert.ok([...after].every((pid) => !before.has(pid)));
});

test("arborio serve --workers: a reload of a module that is broken by now changes nothing", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await started(folder);
  using _ = command;
  const before = await pidsOf(url);
  folder.write("app.mjs", "export default 1;");
  command.signal("SIGHUP");
  await command.until(
    /^arborio: the new worker 1 ended with exit code 2 before it listened; the old ones stay$/m,
  );
  assert.deepEqual(await pidsOf(url), before);
});

test("arborio serve --workers: workers end when their supervisor was killed", async () => {
  using folder = new ModuleFolder();
  const { command, url } = await started(folder);
  using _ = command;
  const pids = await pidsOf(url);
  command.signal("SIGKILL");
  // Bounded by the time that a test may take.
  while ([...pids].some(isAlive)) await shortly();
});

for (const [title, text, pattern] of [
  [
    "a module that cannot be loaded",
    'throw new Error("at the top");',
    /at the top[^]*arborio: the first worker ended with exit code 1 before it listened\n$/,
  ],
  [
    "a module without a handler",
    "export const other = 1;",
    /exports no default[^]*arborio: the first worker ended with exit code 2 before it listened\n$/,
  ],
] as const) {
  test(`arborio serve --workers: ${title} is told once`, async () => {
    using folder = new ModuleFolder();
    folder.write("app.mjs", text);
    const args = ["serve", "--port", "0", "--workers", "2", "app.mjs"];
    const { code, out, err } = await runCommand(args, { cwd: folder.path });
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, pattern);
    assert.equal(err.match(/before it listened/g)?.length, 1);
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function shortly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
