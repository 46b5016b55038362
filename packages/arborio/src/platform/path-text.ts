/** A path as an object: a `Path` of `arborio/fs`. */
export interface PathObject {
  /** The path as text. */
  readonly text: string;
}

/** On the prototype of paths; the registry symbol is the same in two loaded copies of the package. */
const BRAND: unique symbol = Symbol.for("arborio.path") as never;

/** Lets `isPathObject` know what has this prototype. */
export function brandPath(prototype: PathObject): void {
  Object.defineProperty(prototype, BRAND, { value: true });
}

/** Whether this is a `Path`, be it of another loaded copy of the package. Any object with a text is none. */
export function isPathObject(value: unknown): value is PathObject {
  return typeof value === "object" && value !== null && BRAND in value;
}
