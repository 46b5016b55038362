import "./platform/host.ts";
export { checkpointIfCancelled } from "./core/checkpoint.ts";
