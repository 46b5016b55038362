/** What `#platform` is on Bun. */
export { ambient } from "../shared/ambient.ts";
export { bunBackend as backend } from "./backend.ts";
