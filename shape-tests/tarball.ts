/** Packs a package as npm would publish it, and installs the tarball where nothing of this repository is in reach. */

import { cpSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun } from "../scripts/lib/command.ts";
import { root } from "../scripts/lib/workspace.ts";

/** A packed package, installed in a folder of its own. */
export interface Tarball {
  /** Path of the .tgz file. */
  readonly path: string;
  /** Paths of the files in it, below the package's folder. */
  readonly files: readonly string[];
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** A temporary folder with the package in its node_modules and the programs beside. */
  readonly folder: string;
}

interface PackReport {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Packs a package and installs the result, together with the tarballs that it stands on and with its programs beside it. */
export async function packAndInstall(name: string, below: readonly Tarball[]): Promise<Tarball> {
  const folder = mkdtempSync(join(tmpdir(), "arborio-shape-"));
  const pack = ["pack", "--json", "--silent", "--pack-destination", folder];
  const { output } = await mustRun("npm", pack, { cwd: join(root, "packages", name) });
  const report = readPackReport(output);
  const path = join(folder, report.filename);
  cpSync(join(root, "shape-tests/programs", name), folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const paths = [...below.map((tarball) => tarball.path), path];
  await mustRun("npm", ["install", "--no-audit", "--no-fund", ...paths], { cwd: folder });
  return {
    path,
    files: report.files.map((file) => file.path),
    packedBytes: report.size,
    unpackedBytes: report.unpackedSize,
    folder,
  };
}

/** npm prints a list of one report, or (from npm 12 on) an object keyed by package name. */
function readPackReport(output: string): PackReport {
  const json: unknown = JSON.parse(output.slice(output.search(/[[{]/)));
  const report = Object.values(json as Record<string, PackReport>)[0];
  if (report === undefined) throw new Error(`npm pack: no report in ${output}`);
  return report;
}
