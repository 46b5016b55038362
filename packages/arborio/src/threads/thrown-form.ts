/**
 * Errors on their way from one thread or process to another. Structured clone keeps neither classes nor fields of errors, only the names
 * of the seven that the language began with; so they travel as plain objects, and are made again on the other side.
 */
import { brandedClass } from "../core/brand.ts";
import { textOf } from "../core/exception-text.ts";

/** An error class that can be made again on this side. */
export type RemoteErrorClass = abstract new (...args: never) => Error;

/** Something thrown, as a structured clone can carry it. */
export type ThrownForm = ErrorForm | ListForm | ValueForm;

interface ErrorForm {
  readonly kind: "error";
  /** Names of its class and of those above it. */
  readonly classes: readonly string[];
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Its own fields. */
  readonly fields: readonly Field[];
}

interface Field {
  readonly name: string;
  readonly enumerable: boolean;
  readonly value: ThrownForm;
}

interface ListForm {
  readonly kind: "list";
  readonly items: readonly ThrownForm[];
}

interface ValueForm {
  readonly kind: "value";
  readonly value: unknown;
}

/** So deep may causes and groups nest; what is deeper is sent as text. Guards against rings, too. */
const DEPTH_MAX = 16;
/** So many errors of one group are sent; more would be read by nobody. The last one then says how many are left out. */
const LIST_LENGTH_MAX = 10_000;

/** These are sent apart from the other fields. */
const OWN_PLACE: readonly string[] = ["name", "message", "stack"];

/** Describes anything that can be thrown. Never throws. */
export function formOf(thrown: unknown, depth = 0): ThrownForm {
  try {
    if (depth > DEPTH_MAX) return { kind: "value", value: textOf(thrown) };
    if (thrown instanceof Error) return errorForm(thrown, depth);
    if (Array.isArray(thrown) && thrown.some((item) => item instanceof Error))
      return listForm(thrown, depth);
    return { kind: "value", value: isPrimitive(thrown) ? thrown : structuredClone(thrown) };
  } catch {
    return { kind: "value", value: textOf(thrown) };
  }
}

function errorForm(error: Error, depth: number): ErrorForm {
  const fields: Field[] = [];
  for (const [name, { enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if (OWN_PLACE.includes(name)) continue;
    const value = (error as unknown as Record<string, unknown>)[name];
    // Engines keep places in sources as hidden fields of theirs; what has a method has no meaning elsewhere.
    if (typeof value === "function" || (enumerable !== true && !HIDDEN_FIELDS.includes(name)))
      continue;
    fields.push({ name, enumerable: enumerable === true, value: formOf(value, depth + 1) });
  }
  return {
    kind: "error",
    classes: classesOf(error),
    name: String(error.name),
    message: String(error.message),
    stack: typeof error.stack === "string" ? error.stack : undefined,
    fields,
  };
}

/** Fields of the language's own errors, which are not enumerable. */
const HIDDEN_FIELDS: readonly string[] = ["cause", "errors", "error", "suppressed", "code"];

function listForm(list: readonly unknown[], depth: number): ListForm {
  const items = list.slice(0, LIST_LENGTH_MAX).map((item) => formOf(item, depth + 1));
  const left = list.length - items.length;
  if (left > 0) items.push(formOf(new Error(`… and ${left} more errors`), depth + 1));
  return { kind: "list", items };
}

function isPrimitive(value: unknown): boolean {
  if (typeof value === "symbol") return false;
  return value === null || (typeof value !== "object" && typeof value !== "function");
}

/** From the error's own class up. The library's have stable codes, which bundlers cannot change. */
function classesOf(error: Error): string[] {
  const classes: string[] = [];
  for (
    let at: object | null = Object.getPrototypeOf(error) as object | null;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const own = Object.getOwnPropertyDescriptors(at) as {
      readonly code?: PropertyDescriptor;
      readonly constructor?: PropertyDescriptor;
    };
    const code: unknown = own.code?.value;
    const made = own.constructor?.value as { readonly name?: unknown } | undefined;
    if (typeof code === "string" && brandedClass(code) !== undefined) classes.push(code);
    else if (typeof made?.name === "string") classes.push(made.name);
  }
  return classes;
}

/** How to make an error again. */
export interface RevivalOptions {
  /** The program's own classes, found by their names. */
  readonly errorClasses: readonly RemoteErrorClass[];
  /** Added to the end of the stack: where the error came over. */
  readonly boundary: string;
}

/** Makes again what was thrown: of the same class, if that is known here, else of the nearest class above it that is. */
export function revive(form: ThrownForm, options: RevivalOptions): unknown {
  if (form.kind === "value") return form.value;
  if (form.kind === "list") return form.items.map((item) => revive(item, options));
  return reviveError(form, options);
}

function reviveError(form: ErrorForm, options: RevivalOptions): Error {
  const [first = ""] = form.classes;
  // It has its name and message from its constructor alone.
  const error =
    first === "DOMException"
      ? new DOMException(form.message, form.name)
      : withPrototype(new Error(form.message), prototypeOf(form.classes, options.errorClasses));
  define(error, "stack", `${form.stack ?? `${form.name}: ${form.message}`}\n${options.boundary}`);
  for (const { name, enumerable, value } of form.fields)
    define(error, name, revive(value, options), enumerable);
  if (error.name !== form.name) define(error, "name", form.name);
  return error;
}

function withPrototype(error: Error, prototype: object): Error {
  return Object.setPrototypeOf(error, prototype) as Error;
}

function define(error: Error, name: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, name, { value, enumerable, configurable: true, writable: true });
}

function prototypeOf(
  classes: readonly string[],
  errorClasses: readonly RemoteErrorClass[],
): object {
  for (const name of classes) {
    const found =
      errorClasses.find((known) => known.name === name) ??
      brandedClass(name) ??
      languageClass(name);
    if (found !== undefined) return found.prototype as object;
  }
  return Error.prototype;
}

const LANGUAGE_CLASSES: readonly string[] = [
  "AggregateError",
  "Error",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SuppressedError",
  "SyntaxError",
  "TypeError",
  "URIError",
];

/** Not every runtime has every one of them: Node 22 has no `SuppressedError`. */
function languageClass(name: string): RemoteErrorClass | undefined {
  if (!LANGUAGE_CLASSES.includes(name)) return undefined;
  return (globalThis as unknown as Record<string, RemoteErrorClass | undefined>)[name];
}
