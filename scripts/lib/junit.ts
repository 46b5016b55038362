/**
 * Reads the JUnit XML that Bun and Deno write about a test run.
 *
 * They differ: Bun nests `testsuite`, Deno writes `suite > test` into the name and counts the suite as a test of its own.
 * Neither passes on why a test was skipped.
 */

import type { TestCase } from "./test-case.ts";

const tokenPattern =
  /<(\/?)(testsuites|testsuite|testcase|skipped|failure|error)\b((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>/g;

/** The tests of a JUnit report, suites left out. */
export function parseJunit(xml: string): TestCase[] {
  const suites: string[] = [];
  const cases: { -readonly [K in keyof TestCase]: TestCase[K] }[] = [];
  for (const match of xml.matchAll(tokenPattern)) {
    const [token, slash, tag, rawAttributes = "", selfClosing] = match;
    const attributes = parseAttributes(rawAttributes);
    const current = cases.at(-1);
    if (tag === "testsuite") {
      if (slash) suites.pop();
      else if (!selfClosing) suites.push(suiteName(attributes));
    } else if (tag === "testcase" && !slash) {
      const name = [...suites, attributes["name"]].filter(Boolean).join(" > ");
      const file = attributes["file"] ?? attributes["classname"] ?? "";
      cases.push({
        name,
        file,
        line: Number(attributes["line"] ?? 0),
        outcome: "passed",
        detail: "",
      });
    } else if (tag === "skipped" && !slash && current) {
      current.outcome = "skipped";
      current.detail = attributes["message"] ?? "";
    } else if (
      (tag === "failure" || tag === "error") &&
      !slash &&
      current &&
      current.outcome !== "skipped"
    ) {
      // (A failing "todo" test is reported as both: it stays a skip.)
      current.outcome = "failed";
      const text = selfClosing
        ? ""
        : xml.slice(match.index + token.length, xml.indexOf(`</${tag}>`, match.index));
      current.detail = decode(text).trim() || (attributes["message"] ?? "");
    }
  }
  return withoutContainers(cases);
}

/** Leaves out what only holds other tests, unless it failed by itself (a hook threw). */
function withoutContainers(cases: readonly TestCase[]): TestCase[] {
  const containers = new Set<string>();
  const failing = new Set<string>();
  for (const { name, outcome } of cases) {
    const parts = name.split(" > ");
    for (let length = 1; length < parts.length; length += 1) {
      const container = parts.slice(0, length).join(" > ");
      containers.add(container);
      if (outcome === "failed") failing.add(container);
    }
  }
  return cases.filter(
    ({ name, outcome }) => !containers.has(name) || (outcome === "failed" && !failing.has(name)),
  );
}

/** Bun and Deno wrap each file in a suite named after it: no part of a test's name. */
function suiteName(attributes: Record<string, string>): string {
  const name = attributes["name"] ?? "";
  const isFile = name === attributes["file"] || /^(\.\/|ext:)/.test(name);
  return isFile && !("line" in attributes) ? "" : name;
}

function parseAttributes(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [
    name,
    decode(value),
  ]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

const entities: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function decode(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return entities[name ?? ""] ?? whole;
    },
  );
}
