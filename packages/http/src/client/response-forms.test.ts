/** Forms that come as responses: read whole, and part by part. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { onEveryBackend } from "arborio/testing";
import { openServer } from "../server/open-server.ts";
import { formParts, readForm } from "../web/read-form.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openHttpClient } from "./http-client.ts";

const test = onEveryBackend(nodeTest);

function form(): FormData {
  const data = new FormData();
  data.append("name", "Ada");
  data.append("file", new File(["x".repeat(100_000)], "x.txt", { type: "text/plain" }));
  return data;
}

test("formParts, readForm: of responses", async () => {
  await using server = await openServer(() => new HttpResponse(form()), {
    port: 0,
    host: "127.0.0.1",
  });
  await using client = openHttpClient({ base: server.url });
  const seen: unknown[] = [];
  using response = await client.fetch("/");
  for await (const part of formParts(response)) {
    let bytes = 0;
    for await (const chunk of part) bytes += chunk.length;
    seen.push([part.name, part.fileName ?? null, bytes]);
  }
  assert.deepEqual(seen, [
    ["name", null, 3],
    ["file", "x.txt", 100_000],
  ]);
  const read = await readForm(await client.fetch("/"));
  assert.equal(read.get("name"), "Ada");
  assert.equal((read.get("file") as File).size, 100_000);
  assert.equal((await readForm(new HttpResponse(form()))).get("name"), "Ada");
  assert.equal(client.statistics().connectionsActive, 0);
});
