import { LAYERS_MAX, MEMBERS_MAX, RATIO_MAX } from "../negotiation/decompress-body.ts";
import type { DecompressionLimits, ResponseBodyOptions } from "./body-options.ts";
import { describe, numbersWith } from "./require-option.ts";

/** What is done with the bodies of responses: all of `ResponseBodyOptions`, with nothing left open. */
export interface ResponseBodies {
  /** `null`: they are left as they are. */
  readonly decompress: Required<DecompressionLimits> | null;
  readonly bodyBytesMax: number;
}

const DECOMPRESS: Required<DecompressionLimits> = {
  ratioMax: RATIO_MAX,
  layersMax: LAYERS_MAX,
  membersMax: MEMBERS_MAX,
};

/** What is done unless somebody says otherwise. */
export const DEFAULT_BODIES: ResponseBodies = { decompress: DECOMPRESS, bodyBytesMax: Infinity };

/** @throws TypeError, RangeError for wrong options. */
export function responseBodiesOf(
  where: string,
  { decompress, bodyBytesMax }: ResponseBodyOptions,
  defaults: ResponseBodies = DEFAULT_BODIES,
): ResponseBodies {
  if (decompress === undefined && bodyBytesMax === undefined) return defaults;
  if (bodyBytesMax !== undefined && !(typeof bodyBytesMax === "number" && bodyBytesMax >= 0)) {
    throw new RangeError(
      `${where}({ bodyBytesMax }): got ${String(bodyBytesMax)}, needs a number of bytes from 0 on`,
    );
  }
  return {
    decompress: limitsOf(where, decompress, defaults.decompress),
    bodyBytesMax: bodyBytesMax ?? defaults.bodyBytesMax,
  };
}

function limitsOf(
  where: string,
  decompress: unknown,
  defaults: ResponseBodies["decompress"],
): ResponseBodies["decompress"] {
  if (decompress === undefined) return defaults;
  if (decompress === false) return null;
  if (decompress === true) return defaults ?? DECOMPRESS;
  if (typeof decompress !== "object" || decompress === null)
    throw new TypeError(
      `${where}({ decompress }): got ${describe(decompress)}, needs true, false or { ratioMax, layersMax, membersMax }`,
    );
  return numbersWith(`${where}({ decompress`, defaults ?? DECOMPRESS, decompress, () => 1);
}
