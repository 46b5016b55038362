import type { ResponseBodyOptions } from "./body-options.ts";

/** What is done with the bodies of responses: all of `ResponseBodyOptions`, with nothing left open. */
export type ResponseBodies = Readonly<Required<ResponseBodyOptions>>;

/** What is done unless somebody says otherwise. */
export const DEFAULT_BODIES: ResponseBodies = { decompress: true, bodyBytesMax: Infinity };

/** @throws TypeError, RangeError for wrong options. */
export function responseBodiesOf(
  where: string,
  { decompress, bodyBytesMax }: ResponseBodyOptions,
  defaults: ResponseBodies = DEFAULT_BODIES,
): ResponseBodies {
  if (decompress === undefined && bodyBytesMax === undefined) return defaults;
  if (decompress !== undefined && typeof decompress !== "boolean") {
    throw new TypeError(`${where}({ decompress }): got ${String(decompress)}, needs true or false`);
  }
  if (bodyBytesMax !== undefined && !(typeof bodyBytesMax === "number" && bodyBytesMax >= 0)) {
    throw new RangeError(
      `${where}({ bodyBytesMax }): got ${String(bodyBytesMax)}, needs a number of bytes from 0 on`,
    );
  }
  return {
    decompress: decompress ?? defaults.decompress,
    bodyBytesMax: bodyBytesMax ?? defaults.bodyBytesMax,
  };
}
