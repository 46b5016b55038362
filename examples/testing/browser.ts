/** A real browser for the tests of examples: Debian's Chromium, without a window. */
import { spawnSync } from "node:child_process";
import { after, test as nodeTest } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { failAfter, run } from "arborio";

const PROGRAM = "/usr/bin/chromium";
/** With the start of a browser on a busy machine. */
const LIMIT_MS = 45_000;

let browser: Promise<Browser> | undefined;

/** Registers a test with a page of its own. */
export function browserTest(title: string, body: (page: Page) => Promise<void>): void {
  if (spawnSync(PROGRAM, ["--version"]).status !== 0) {
    const reason = "needs chromium";
    console.log(`# skip ${title}: ${reason}`);
    nodeTest(title, { skip: reason }, () => {});
    return;
  }
  // Here, not once for this module: on Bun all test files share it, and each ends on its own.
  after(close);
  nodeTest(title, { timeout: LIMIT_MS + 10_000 }, () =>
    run(() => failAfter(LIMIT_MS, () => withPage(body)), { signals: [] }),
  );
}

async function withPage(body: (page: Page) => Promise<void>): Promise<void> {
  browser ??= chromium.launch({ executablePath: PROGRAM, args: ["--no-sandbox"] });
  const context = await (await browser).newContext({ acceptDownloads: true });
  try {
    await body(await context.newPage());
  } finally {
    await context.close();
  }
}

async function close(): Promise<void> {
  const opened = browser;
  browser = undefined;
  await (await opened)?.close();
}
