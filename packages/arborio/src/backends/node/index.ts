/** What `#platform` is on Node. */
export { ambient } from "../shared/ambient.ts";
export { nodeBackend as backend } from "./backend.ts";
