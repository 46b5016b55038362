import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { NODE_WORKER_PROCESSES, type WorkerProcessParts } from "../shared/node-worker-process.ts";
import { sourceFlags } from "../shared/node-worker-process-command.ts";
import { denoMayStart, watchDenoEnd } from "./processes.ts";

interface DenoApi {
  readonly mainModule: string;
  execPath(): string;
  readonly permissions: {
    querySync(descriptor: { name: string; path?: string }): { readonly state: string };
  };
}

const { Deno: deno } = globalThis as unknown as { Deno: DenoApi };

/** The names of Deno's permissions. */
const PERMISSIONS = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;

/** In which a project says what names of modules mean. */
const CONFIG_FILES = ["deno.json", "deno.jsonc"] as const;

/**
 * Deno tells nobody the flags of this program. A worker has the permissions that this program has without limits, and asks for no
 * others; and the configuration that Deno would find beside the main module, since it would look for it beside the worker's.
 */
export const denoWorkerProcesses: WorkerProcessParts = {
  ...NODE_WORKER_PROCESSES,
  watchEnd: watchDenoEnd,
  mayUseFiles: () => (["read", "write", "env"] as const).every((name) => isGranted({ name })),
  command(module) {
    denoMayStart("a worker");
    const granted = PERMISSIONS.filter((name) => isGranted({ name }));
    const allowed =
      granted.length === PERMISSIONS.length ? ["-A"] : granted.map((name) => `--allow-${name}`);
    const config = findConfig();
    return [
      deno.execPath(),
      "run",
      "--no-prompt",
      ...allowed,
      ...(config === null ? [] : ["--config", config]),
      ...sourceFlags,
      module,
    ];
  },
};

function isGranted(descriptor: { name: string; path?: string }): boolean {
  return deno.permissions.querySync(descriptor).state === "granted";
}

/** The nearest one above the main module; `null` if there is none, or this program may not look. */
function findConfig(): string | null {
  if (!deno.mainModule.startsWith("file:")) return null;
  let folder = new URL(".", deno.mainModule);
  for (;;) {
    for (const name of CONFIG_FILES) {
      const path = fileURLToPath(new URL(name, folder));
      if (isGranted({ name: "read", path }) && existsSync(path)) return path;
    }
    const above = new URL("..", folder);
    if (above.href === folder.href) return null;
    folder = above;
  }
}
