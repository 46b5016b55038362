/** What options are called: one that is overlooked would be one that is not honoured. */
import type { FetchOptions, HttpClientOptions, RequestDefaults } from "./client-options.ts";

type Names<T> = Readonly<Record<keyof Required<T>, true>>;

/** Names of what a request and its client have in common. */
export const DEFAULTS_NAMES: Names<RequestDefaults> = {
  headers: true,
  auth: true,
  redirect: true,
  raiseForStatus: true,
  middleware: true,
  decompress: true,
  bodyBytesMax: true,
  tls: true,
  fingerprints: true,
  proxy: true,
  socketPath: true,
  localHost: true,
  timeouts: true,
};

/** Names of options of `openHttpClient`. */
export const CLIENT_NAMES: Names<HttpClientOptions> = {
  base: true,
  ...DEFAULTS_NAMES,
  limits: true,
  lookup: true,
  dnsTtlMs: true,
  guardAddress: true,
  connect: true,
  cookies: true,
  trace: true,
};

/** Names of options of a request. */
export const FETCH_NAMES: Names<FetchOptions> = {
  method: true,
  query: true,
  ...DEFAULTS_NAMES,
  body: true,
  json: true,
  form: true,
  compress: true,
  expectContinue: true,
  trailers: true,
  onUploadProgress: true,
  onInformational: true,
  cookies: true,
  redirectsMax: true,
  upgrade: true,
  signal: true,
  credentials: true,
  cache: true,
  integrity: true,
  duplex: true,
  keepalive: true,
  mode: true,
  priority: true,
  referrer: true,
  referrerPolicy: true,
  window: true,
};
