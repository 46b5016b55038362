/** Forms, and what to expect of them. */
import assert from "node:assert/strict";
import { HttpError } from "./http-error.ts";

export const encoder: TextEncoder = new TextEncoder();
export const MULTIPART: readonly string[] = ["Content-Type", 'multipart/form-data; boundary="b-1"'];
export const URLENCODED: readonly string[] = ["content-type", "application/x-www-form-urlencoded"];

export function part(head: string, body: string): string {
  return `--b-1\r\n${head}\r\n\r\n${body}\r\n`;
}

export const FIELD: string = part('Content-Disposition: form-data; name="a"', "one");
export const FILE: string = part(
  'content-disposition: form-data; name="f"; filename="日本.txt"\r\nContent-Type: text/x; charset=utf-8',
  "line\r\n--b\r\nline",
);
export const FORM: string = `preamble\r\n${FIELD}${FILE}${part('Content-Disposition: form-data; name=""', "")}--b-1--\r\nepilogue`;

/** What a form holds, to compare. */
export async function entries(form: FormData): Promise<unknown[]> {
  const list: unknown[] = [];
  for (const [name, value] of form) {
    list.push(
      typeof value === "string"
        ? [name, value]
        : [name, value.name, value.type, await value.text()],
    );
  }
  return list;
}

export const FORM_ENTRIES: unknown[] = [
  ["a", "one"],
  ["f", "日本.txt", "text/x; charset=utf-8", "line\r\n--b\r\nline"],
  ["", ""],
];

export function rejection(status: number, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HttpError, String(error));
    assert.equal(error.status, status, error.message);
    assert.match(error.message, message);
    return true;
  };
}
