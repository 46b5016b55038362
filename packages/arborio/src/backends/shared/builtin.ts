import { createRequire } from "node:module";
import type * as childProcess from "node:child_process";
import type * as crypto from "node:crypto";
import type * as dgram from "node:dgram";
import type * as dns from "node:dns";
import type * as fs from "node:fs";
import type * as net from "node:net";
import type * as os from "node:os";
import type * as stream from "node:stream";
import type * as tls from "node:tls";
import type * as v8 from "node:v8";
import type * as workerThreads from "node:worker_threads";
import type * as zlib from "node:zlib";

interface Builtins {
  readonly "node:child_process": typeof childProcess;
  readonly "node:crypto": typeof crypto;
  readonly "node:dgram": typeof dgram;
  readonly "node:dns": typeof dns;
  readonly "node:fs": typeof fs;
  readonly "node:net": typeof net;
  readonly "node:os": typeof os;
  readonly "node:stream": typeof stream;
  readonly "node:tls": typeof tls;
  readonly "node:v8": typeof v8;
  readonly "node:worker_threads": typeof workerThreads;
  readonly "node:zlib": typeof zlib;
}

const require = createRequire(import.meta.url);

/**
 * Loads one of the runtime's own modules when it is first needed: `node:tls` alone takes 10 ms on Node, which a program without
 * sockets should not pay.
 */
export function lazily<Name extends keyof Builtins>(name: Name): () => Builtins[Name] {
  let loaded: Builtins[Name] | undefined;
  return () => (loaded ??= require(name) as Builtins[Name]);
}
