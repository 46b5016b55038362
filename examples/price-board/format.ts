/** Numbers and columns as people read them. */

import type { Price } from "./price.ts";

const AMOUNT: Intl.NumberFormat = new Intl.NumberFormat("en", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 12,
});

export function formatPrice({ amount, currency }: Price): string {
  const text = AMOUNT.format(amount);
  return currency === "" ? text : `${text} ${currency}`;
}

/** Below a second in milliseconds, above it in seconds. */
export function formatMs(ms: number): string {
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Lines of aligned columns. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
