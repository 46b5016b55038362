import { type FormPart, formParts, HttpRequest } from "@arborio/http";
import type { Store } from "./store.ts";
import type { StoredFile, Upload } from "./uploads.ts";

/** Bytes of a whole form: what one disk takes from one visitor. */
const FORM_BYTES_MAX = 4_000_000_000;
const FILES_MAX = 20;

/**
 * Stores the files of a form as they come: nothing of them is in memory but the piece at hand, and the client sends no faster than the
 * store writes. If the form breaks off, or its client leaves, the file at hand is discarded; those that came before it stay.
 */
export async function receiveForm(request: Request, upload: Upload, store: Store): Promise<void> {
  upload.begin((request instanceof HttpRequest ? request.bodyBytes : undefined) ?? null);
  let state: "done" | "failed" = "failed";
  try {
    for await (const part of formParts(request, {
      bytesMax: FORM_BYTES_MAX,
      filesMax: FILES_MAX,
    })) {
      if (part.fileName === undefined || part.fileName === "") continue;
      upload.stored(await storePart(part, part.fileName, upload, store));
    }
    state = "done";
  } finally {
    upload.end(state);
  }
}

async function storePart(
  part: FormPart,
  fileName: string,
  upload: Upload,
  store: Store,
): Promise<StoredFile> {
  const file = await store.create(fileName);
  let bytes = 0;
  try {
    for await (const piece of part) {
      await file.write(piece);
      bytes += piece.length;
      upload.received(piece.length);
    }
  } catch (error) {
    await file.discard();
    throw error;
  }
  await file.keep();
  return { name: file.name, bytes };
}
