import { ambient } from "../platform/host.ts";
import type { BridgedPart, HostBridge } from "./host-bridge.ts";

type Namespace = Readonly<Record<string, unknown>>;
type Loaded = { readonly namespace: Namespace } | { readonly error: unknown };

/** Outside every scope: Deno runs flows of others in the context of an import that fails (2.9.5). */
function load(url: string): Promise<Namespace> {
  return ambient.run(undefined, (specifier) => import(specifier) as Promise<Namespace>, url);
}

/** Loads a module, which the host does in its own time; none passes in the world meanwhile. */
export function importBridged(bridge: HostBridge, url: string): Promise<Namespace> {
  return new Promise((resolve, reject) => {
    let loaded: Loaded | null = null;
    const part: BridgedPart = {
      take() {
        const result = loaded;
        if (result === null) return null;
        return () => {
          bridge.remove(part);
          if ("error" in result) reject(result.error as Error);
          else resolve(result.namespace);
        };
      },
    };
    bridge.add(part);
    const thaw = bridge.begin();
    load(url).then(
      (namespace: Namespace) => {
        loaded = { namespace };
        thaw();
      },
      (error: unknown) => {
        loaded = { error };
        thaw();
      },
    );
  });
}
