import { spawnSync } from "node:child_process";
import { test as nodeTest } from "node:test";
import { failAfter, run, type TaskGroup } from "arborio";

/** What a test needs on the machine: the name of its Debian package, and a command that fails without it. */
export interface Tool {
  readonly name: string;
  readonly probe: readonly [command: string, ...args: string[]];
}

/** Debian's own, which sees the modules that Debian's packages bring. */
export const PYTHON = "/usr/bin/python3";

export const CURL: Tool = { name: "curl", probe: ["curl", "--version"] };
export const NGINX: Tool = { name: "nginx-light", probe: ["/usr/sbin/nginx", "-v"] };
export const OPENSSL: Tool = { name: "openssl", probe: ["openssl", "version"] };
export const WRK: Tool = { name: "wrk", probe: ["/bin/sh", "-c", "command -v wrk"] };
export const CHROMIUM: Tool = { name: "chromium", probe: ["/bin/sh", "-c", "command -v chromium"] };
export const AIOHTTP: Tool = {
  name: "python3-aiohttp",
  probe: [PYTHON, "-c", "import importlib.util as u, sys; sys.exit(not u.find_spec('aiohttp'))"],
};
export const HTTPX: Tool = {
  name: "python3-httpx",
  probe: [PYTHON, "-c", "import importlib.util as u, sys; sys.exit(not u.find_spec('httpx'))"],
};

/** With the start of several programs on a busy machine. */
const LIMIT_MS = 45_000;

const found: Map<Tool, boolean> = new Map();

function isMissing(tool: Tool): boolean {
  let has = found.get(tool);
  if (has === undefined) {
    const [command, ...args] = tool.probe;
    has = spawnSync(command, args).status === 0;
    found.set(tool, has);
  }
  return !has;
}

/** Registers a test with programs that are not ours. It runs on the host only: the simulator has no other processes. */
export function peerTest(
  tools: readonly Tool[],
  title: string,
  body: (group: TaskGroup) => Promise<void>,
): void {
  const missing = tools.filter(isMissing).map(({ name }) => name);
  if (missing.length > 0) {
    const reason = `needs ${missing.join(", ")}`;
    console.log(`# skip ${title}: ${reason}`);
    nodeTest(title, { skip: reason }, () => {});
    return;
  }
  nodeTest(title, { timeout: LIMIT_MS + 10_000 }, () =>
    run((group) => failAfter(LIMIT_MS, () => body(group)), { signals: [] }),
  );
}
