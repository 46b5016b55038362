/** Values of options: text to what it means. Each throws `InvalidArgumentError`, which commander puts behind the option's name. */
import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A time with its unit, such as `500ms`, `1.5s`, `2m` or `1h`: milliseconds. A bare number would be taken for seconds by some and for milliseconds by others. */
export function parseDuration(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (number === undefined || factor === undefined)
    throw new InvalidArgumentError("It needs a number with a unit, such as 500ms, 10s or 2m.");
  return Number(number) * factor;
}

/** A whole number from `min` to `max`. */
export function parseCount(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(
      max === Number.MAX_SAFE_INTEGER
        ? `It needs a whole number from ${min} on.`
        : `It needs a whole number from ${min} to ${max}.`,
    );
  };
}
