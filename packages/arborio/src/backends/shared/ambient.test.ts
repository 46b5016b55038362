import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { asyncLocalStorage, outsideContext } from "./ambient.ts";

test("outsideContext: what runs meanwhile in other flows keeps its context (Deno runs microtasks inside)", async () => {
  const lost: string[] = [];
  const watch = async (name: string): Promise<void> => {
    for (let step = 0; step < 100; step++) {
      await Promise.resolve();
      if (asyncLocalStorage.getStore() !== name) lost.push(`${name} at step ${step}`);
    }
  };
  const watching = asyncLocalStorage.run("a", () => watch("a"));
  await asyncLocalStorage.run("b", async () => {
    outsideContext(() => {
      assert.equal(asyncLocalStorage.getStore(), undefined);
      const server = createServer();
      server.listen(0, () => server.close());
    });
    await watch("b");
  });
  await watching;
  assert.deepEqual(lost, []);
});
