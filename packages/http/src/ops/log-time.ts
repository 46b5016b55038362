import { formatHttpDate } from "../protocol/http-date.ts";

/** Writes moments, milliseconds since 1970, as text. */
export type TimeWriter = (ms: number) => string;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `[06/Nov/1994:08:49:37 +0000]`, as the common log format has it. Lines of the same second share their text. */
export function createLogTimeWriter(): TimeWriter {
  return oncePerSecond((date) => {
    const [, day, month, year, time] = date.split(" ");
    return `[${day}/${month}/${year}:${time} +0000]`;
  });
}

/** `1994-11-06T08:49:37.123Z`: RFC 3339. */
export function createIsoTimeWriter(): TimeWriter {
  const toSecond = oncePerSecond((date) => {
    const [, day, month = "", year, time] = date.split(" ");
    return `${year}-${String(MONTHS.indexOf(month) + 1).padStart(2, "0")}-${day}T${time}`;
  });
  return (ms) => {
    const whole = Math.floor(ms);
    return `${toSecond(whole)}.${String(whole % 1000).padStart(3, "0")}Z`;
  };
}

function oncePerSecond(write: (date: string) => string): TimeWriter {
  let second = NaN;
  let text = "";
  return (ms) => {
    const asked = Math.floor(ms / 1000);
    if (asked !== second) {
      second = asked;
      text = write(formatHttpDate(asked * 1000));
    }
    return text;
  };
}
