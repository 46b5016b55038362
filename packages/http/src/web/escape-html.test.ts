import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeHtml } from "./escape-html.ts";

test("escapeHtml: nothing of a text begins a tag, an entity, or ends an attribute", () => {
  assert.equal(
    escapeHtml(`<a href="x" title='y'>&amp;</a>`),
    "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;",
  );
  assert.equal(escapeHtml("Zoë & Ωmega"), "Zoë &amp; Ωmega");
});
