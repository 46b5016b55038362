export { hostOperation, type HostOperation } from "../platform/host-operation.ts";
