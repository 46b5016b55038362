/** What `#platform` is on Deno. */
export { ambient } from "../shared/ambient.ts";
export { denoBackend as backend } from "./backend.ts";
