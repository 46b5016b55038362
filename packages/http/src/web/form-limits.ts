/**
 * How much of a form is taken. All are enforced while it is read, on what was sent, before anything is decoded; more is 413. `Infinity`
 * lifts a limit.
 */
export interface FormLimits {
  /** Number of fields that are no files. Default 1,000. */
  readonly fieldsMax?: number;
  /** Number of files. Default 100. */
  readonly filesMax?: number;
  /** Bytes of a field: of its value, for `application/x-www-form-urlencoded` of its name too. Default 1,048,576. */
  readonly fieldBytesMax?: number;
  /** Bytes of a file. Default `Infinity`: the whole is limited. */
  readonly fileBytesMax?: number;
  /** Bytes of the whole form, as sent. Default: the limit that the request has, `bodyBytesMax`. */
  readonly bytesMax?: number;
  /** Bytes of the head of a part of `multipart/form-data`. Default 8,192. */
  readonly partHeaderBytesMax?: number;
}

/** All of them, with values. */
export type AllFormLimits = Required<FormLimits>;

/** The limits that hold unless others are given. */
export const DEFAULT_FORM_LIMITS: Omit<AllFormLimits, "bytesMax"> = {
  fieldsMax: 1000,
  filesMax: 100,
  fieldBytesMax: 1_048_576,
  fileBytesMax: Infinity,
  partHeaderBytesMax: 8192,
};

/**
 * Fills in what was not given.
 *
 * @throws RangeError if a limit is not a number from 0 on; TypeError if there is none of the name.
 */
export function formLimits(where: string, limits: FormLimits): AllFormLimits {
  const all = { ...DEFAULT_FORM_LIMITS, bytesMax: Infinity };
  // One that was overlooked would not be enforced.
  const unknown = Object.keys(limits).find((name) => !(name in all));
  if (unknown !== undefined) {
    throw new TypeError(
      `${where}({ ${unknown} }): there is no such limit; there are ${Object.keys(all).join(", ")}`,
    );
  }
  for (const name of Object.keys(all) as (keyof AllFormLimits)[]) {
    const value = limits[name];
    if (value === undefined) continue;
    if (!(typeof value === "number" && value >= 0)) {
      throw new RangeError(`${where}({ ${name} }): got ${String(value)}, needs a number from 0 on`);
    }
    all[name] = value;
  }
  return all;
}
