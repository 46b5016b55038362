/** What can be wrong with a command line, read in this process: see command-line.test.ts for what a process makes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine } from "./testing/fake-shell.test.kit.ts";

const wrong: readonly (readonly [args: readonly string[], message: string])[] = [
  [["run", "--bogus", "x.ts"], "unknown option '--bogus'"],
  [["rum", "x.ts"], "unknown command 'rum'\n(Did you mean run?)"],
  [["run"], "missing required argument 'file'"],
  [
    ["run", "--seed", "-1", "x.ts"],
    "option '--seed <number>' argument '-1' is invalid. It needs a whole number from 0 to 4294967295.",
  ],
  [
    ["run", "--backend", "mars", "x.ts"],
    "option '--backend <name>' argument 'mars' is invalid. Allowed choices are host, simulator.",
  ],
  [
    ["run", "--grace", "10", "x.ts"],
    "option '--grace <time>' argument '10' is invalid. It needs a number with a unit, such as 500ms, 10s or 2m.",
  ],
  [["run", "--seed", "1", "x.ts"], "--seed is for --backend simulator"],

  [
    ["serve", "x.mjs", "--port", "65536"],
    "option '-p, --port <number>' argument '65536' is invalid. It needs a whole number from 0 to 65535.",
  ],
  [["serve", "x.mjs", "--port", "1", "--path", "x"], "--path is instead of --port and --host"],
  [
    ["serve", "x.mjs", "--workers", "2", "--path", "x"],
    "--workers share a port, and cannot share the Unix socket of --path",
  ],
  [
    ["serve", "x.mjs", "--workers", "0"],
    "option '-w, --workers <number>' argument '0' is invalid. It needs a whole number from 1 to 1024.",
  ],
  [["serve", "x.mjs", "--tls-key", "x"], "--tls-certificate and --tls-key need each other"],

  [["fetch"], "there is nothing to download: it needs a URL, or --input-file"],
  [["fetch", "-i", "list", "-o", "x"], "--output is for one URL; for several there is --directory"],
  [
    ["fetch", "-i", "list", "--checksum", `md5:${"0".repeat(32)}`],
    "--checksum is for one URL; for several there is --checksums",
  ],
  [["fetch", "-i", "no/list"], "--input-file: no/list: there is no such file"],
  ...["", "folder/"].map((name): [string[], string] => [
    ["fetch", "http://h/a", "-o", name],
    "--output is the name of a file; for a folder there is --directory",
  ]),
  [["fetch", "example.com/x"], '"example.com/x" is no URL of http: or https:'],
  [["fetch", "ftp://h/x"], '"ftp://h/x" is no URL of http: or https:'],
  [
    ["fetch", "http://h/a", "http://h/b", "-o", "x"],
    "--output is for one URL; for several there is --directory",
  ],
  [
    ["fetch", "http://h/a", "http://h/b", "--checksum", `md5:${"0".repeat(32)}`],
    "--checksum is for one URL; for several there is --checksums",
  ],
  [
    ["fetch", "http://h/a", "--checksum", "sha256:00"],
    "option '--checksum <checksum>' argument 'sha256:00' is invalid. A checksum of sha-256 has 64 hexadecimal digits.",
  ],
  [["fetch", "http://h/a", "--checksums", "none"], "--checksums: none: there is no such file"],
  [
    ["fetch", "http://h/a", "--concurrency", "0"],
    "option '--concurrency <number>' argument '0' is invalid. It needs a whole number from 1 to 256.",
  ],
  [
    ["fetch", "http://h/a", "-H", "no colon"],
    "option '-H, --header <field>' argument 'no colon' is invalid. It needs a name, a colon and a value: \"Accept: text/html\".",
  ],
  [
    ["fetch", "http://h/a", "-H", "Range: bytes=1-"],
    "option '-H, --header <field>' argument 'Range: bytes=1-' is invalid. This one is set by the download itself.",
  ],
  [
    ["fetch", "http://h/a", "-H", "a b: c"],
    "option '-H, --header <field>' argument 'a b: c' is invalid. There cannot be such a field.",
  ],
  [
    ["fetch", "http://h/a", "--ca-certificate", "none"],
    "--ca-certificate: open none: no such file or directory (ENOENT)",
  ],
];

for (const [args, message] of wrong) {
  test(`arborio ${args.join(" ")}: an error of the command line`, async () => {
    const { code, out, err } = await commandLine(args);
    assert.deepEqual([code, out], [2, ""], err);
    assert.equal(err.split("\n(try it")[0]?.trimEnd(), `arborio: ${message}`);
  });
}
