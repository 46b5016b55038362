import { type Handler, HttpResponse, serveDirectory } from "@arborio/http";

/** The files of a folder, with pages of what is in a directory without `index.html`. */
export function createHandler(folder: string): Handler {
  return serveDirectory(folder, {
    listing: true,
    precompressed: true,
    // Whoever has a file asks whether it is still the same, and mostly it is.
    cacheControl: "no-cache",
    headers: { "x-content-type-options": "nosniff" },
    notFound: (request) =>
      new HttpResponse(`there is no ${new URL(request.url).pathname}\n`, { status: 404 }),
  });
}
