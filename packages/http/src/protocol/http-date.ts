const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const LONG_DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const DAY_MS = 86_400_000;
const IMF =
  /^([A-Z][a-z]{2}), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT$/;
const RFC850 =
  /^([A-Z][a-z]+), ([0-9]{2})-([A-Z][a-z]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT$/;
const ASCTIME =
  /^([A-Z][a-z]{2}) ([A-Z][a-z]{2}) ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([0-9]{4})$/;

/** Years with two digits above this are of the last century: RFC 9110 §5.6.7 says "more than 50 years in the future", and asks for a clock. */
const TWO_DIGIT_YEAR_MAX = 69;

/**
 * Reads a date in one of the three forms of RFC 9110 §5.6.7.
 *
 * @returns Milliseconds since 1970; null if it is none. The day of the week is not held against the date.
 *
 * @example
 * ```ts
 * import { formatHttpDate, parseHttpDate } from "@arborio/http/protocol";
 *
 * console.assert(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT") === 784111777000);
 * console.assert(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT") === 784111777000);
 * console.assert(parseHttpDate("Sun Nov  6 08:49:37 1994") === 784111777000);
 * console.assert(parseHttpDate("tomorrow") === null);
 * console.assert(formatHttpDate(784111777000) === "Sun, 06 Nov 1994 08:49:37 GMT");
 * ```
 */
export function parseHttpDate(text: string): number | null {
  const imf = IMF.exec(text);
  if (imf !== null) {
    const [, weekday = "", day, month = "", year, ...time] = imf;
    return DAYS.includes(weekday) ? timestamp(Number(year), month, Number(day), time) : null;
  }
  const rfc850 = RFC850.exec(text);
  if (rfc850 !== null) {
    const [, weekday = "", day, month = "", short, ...time] = rfc850;
    const year = Number(short) + (Number(short) > TWO_DIGIT_YEAR_MAX ? 1900 : 2000);
    return LONG_DAYS.includes(weekday) ? timestamp(year, month, Number(day), time) : null;
  }
  const asctime = ASCTIME.exec(text);
  if (asctime === null) return null;
  const [, weekday = "", month = "", day, hours = "", minutes = "", seconds = "", year] = asctime;
  const time = [hours, minutes, seconds];
  return DAYS.includes(weekday) ? timestamp(Number(year), month, Number(day), time) : null;
}

/**
 * Writes a date as RFC 9110 §5.6.7 asks for.
 *
 * @param ms Milliseconds since 1970, of the years 0 to 9999; parts of a second are cut off.
 * @throws {RangeError} Another year.
 */
export function formatHttpDate(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const { year, month, day } = civil(days);
  if (!(year >= 0 && year <= 9999)) {
    throw new RangeError(`formatHttpDate: ${ms}: a time in the years 0 to 9999 was expected`);
  }
  const seconds = Math.floor((ms - days * DAY_MS) / 1000);
  const weekday = DAYS[(((days + 4) % 7) + 7) % 7];
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const time = clock.map((part) => String(part).padStart(2, "0")).join(":");
  const date = `${String(day).padStart(2, "0")} ${MONTHS[month - 1]} ${String(year).padStart(4, "0")}`;
  return `${weekday}, ${date} ${time} GMT`;
}

function timestamp(year: number, monthName: string, day: number, time: string[]): number | null {
  const month = MONTHS.indexOf(monthName) + 1;
  const [hours = 0, minutes = 0, seconds = 0] = time.map(Number);
  // 60: a leap second.
  if (month === 0 || day < 1 || hours > 23 || minutes > 59 || seconds > 60) return null;
  const days = dayNumber(year, month, day);
  if (civil(days).month !== month) return null;
  return days * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** Days of an era of 400 years, and from 0000-03-01 to 1970-01-01. The algorithms are Howard Hinnant's ("chrono-compatible low-level date algorithms"). */
const ERA_DAYS = 146_097;
const EPOCH_DAYS = 719_468;

function dayNumber(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * ERA_DAYS + dayOfEra - EPOCH_DAYS;
}

function civil(days: number): { year: number; month: number; day: number } {
  const shifted = days + EPOCH_DAYS;
  const era = Math.floor(shifted / ERA_DAYS);
  const dayOfEra = shifted - era * ERA_DAYS;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}
