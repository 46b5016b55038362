import { wallNow } from "arborio/lowlevel";
import type { ByteReceiveStream } from "arborio/streams";
import type { AllFormLimits } from "./form-limits.ts";
import { FormPart } from "./form-part.ts";
import { FormReader } from "./form-reader.ts";

/** The parts of a form, one after the other. */
export async function* partsOf(
  stream: ByteReceiveStream | null,
  type: string | null,
  limits: AllFormLimits,
): AsyncGenerator<FormPart, undefined> {
  const reader = new FormReader(stream, type, limits);
  for (let head = await reader.nextPart(); head !== null; head = await reader.nextPart()) {
    const part = new FormPart(head, reader);
    try {
      yield part;
    } finally {
      part.close();
    }
  }
  return undefined;
}

/** A whole form, in memory. */
export async function collectForm(
  stream: ByteReceiveStream | null,
  type: string | null,
  limits: AllFormLimits,
): Promise<FormData> {
  const form = new FormData();
  for await (const part of partsOf(stream, type, limits)) {
    if (part.fileName === undefined) {
      form.append(part.name, await part.text());
    } else {
      const options = { type: part.type, lastModified: wallNow() };
      const bytes = (await part.bytes()) as Uint8Array<ArrayBuffer>;
      form.append(part.name, new File([bytes], part.fileName, options));
    }
  }
  return form;
}
