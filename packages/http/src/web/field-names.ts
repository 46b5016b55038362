import type { FieldList } from "../protocol/message.ts";

/** Whether two names of fields are the same; the second is in lower case. */
export function isName(name: string, lowerCaseName: string): boolean {
  return (
    name.length === lowerCaseName.length &&
    (name === lowerCaseName || name.toLowerCase() === lowerCaseName)
  );
}

/** The first value of a field, or `null`. Makes nothing. */
export function firstField(fields: FieldList, lowerCaseName: string): string | null {
  for (let index = 0; index < fields.length; index += 2) {
    if (isName(fields[index] as string, lowerCaseName)) return fields[index + 1] as string;
  }
  return null;
}
