import { forbiddenInValue, isToken, trimSpace } from "./characters.ts";
import { Known, knownField } from "./known-fields.ts";
import { quote, refuse } from "./rules.ts";

/** Reads a field line (RFC 9112 §5) and appends its name and value. */
export function readFieldLine(line: string, fields: string[]): void {
  if (line.startsWith(" ") || line.startsWith("\t")) {
    if (fields.length === 0)
      refuse("leading-space", "the first field line begins with white space");
    refuse("obs-fold", "a field line begins with white space: lines are not folded");
  }
  const bad = forbiddenInValue(line);
  if (bad >= 0) refuseCharacter(line, bad);
  const colon = line.indexOf(":");
  if (colon < 0) refuse("colon-missing", `a field line without a colon: ${quote(line)}`);
  if (colon === 0) refuse("name-empty", `a field without a name: ${quote(line)}`);
  const name = line.slice(0, colon);
  if (!isToken(name)) {
    if (/^[^ \t]+[ \t]+$/.test(name)) {
      refuse(
        "space-before-colon",
        `white space between a field's name and its colon: ${quote(name)}`,
      );
    }
    refuse("name-character", `not a field name: ${quote(name)}`);
  }
  const value = trimSpace(line.slice(colon + 1));
  if (!line.endsWith(value)) checkSpaceBehind(name, line);
  fields.push(name, value);
}

/** llhttp takes a tab behind `chunked` for a part of it, and then finds the end of the message elsewhere. */
function checkSpaceBehind(name: string, line: string): void {
  const known = knownField(name);
  if (known !== Known.contentLength && known !== Known.transferEncoding) return;
  if (/\t *$/.test(line)) refuse("framing-tab", `a tab behind the value of ${name.toLowerCase()}`);
}

function refuseCharacter(line: string, at: number): never {
  if (line[at] === "\r") refuse("bare-cr", "a CR inside a line");
  refuse("control-character", `a control character in a field line: ${quote(line[at] as string)}`);
}
