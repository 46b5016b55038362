/** What counts as a price. */

import { printable } from "./printable.ts";

export interface Price {
  readonly amount: number;
  /** Empty if the source named none. */
  readonly currency: string;
}

/**
 * Reads the body of an answer: a plain number, or JSON with `price` and perhaps `currency`. Many real sources send the
 * number as a string, so that it keeps its digits; that is accepted.
 *
 * @returns the price, or why there is none.
 */
export function readPrice(body: string): Price | string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return `not JSON: ${excerpt(body)}`;
  }
  if (typeof value === "number") return { amount: value, currency: "" };
  if (typeof value !== "object" || value === null || !("price" in value))
    return `no "price" in ${excerpt(body)}`;
  const amount = toAmount(value.price);
  if (amount === undefined) return `"price" is no number in ${excerpt(body)}`;
  const currency = "currency" in value ? value.currency : "";
  if (typeof currency !== "string" || !/^[A-Za-z0-9]{0,10}$/.test(currency))
    return `"currency" is no currency in ${excerpt(body)}`;
  return { amount, currency };
}

function toAmount(price: unknown): number | undefined {
  const isDecimal = typeof price === "string" && /^-?\d+(\.\d+)?$/.test(price);
  const amount = isDecimal ? Number(price) : price;
  return typeof amount === "number" && Number.isFinite(amount) ? amount : undefined;
}

function excerpt(body: string): string {
  return body.trim() === "" ? "an empty body" : printable(body, 40);
}
