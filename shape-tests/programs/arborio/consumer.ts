// Type-checked against the installed tarball, strictly and without any runtime's types.
import { run, sleep, taskGroup } from "arborio";
import * as fs from "arborio/fs";
import * as lowlevel from "arborio/lowlevel";
import * as net from "arborio/net";
import * as process from "arborio/process";
import * as sim from "arborio/sim";
import * as streams from "arborio/streams";
import * as testing from "arborio/testing";
import * as threads from "arborio/threads";
import * as nodeBackend from "arborio/backends/node";

export const value: Promise<number> = run(() => {
  return taskGroup(async (group) => {
    group.startSoon(async () => {
      await sleep(1);
    });
    return 1;
  });
});

export const entries: readonly object[] = [
  fs,
  lowlevel,
  net,
  process,
  sim,
  streams,
  testing,
  threads,
  nodeBackend,
];
