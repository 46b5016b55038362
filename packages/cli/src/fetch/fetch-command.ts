import { InvalidArgumentError } from "commander";
import type { CommandSite } from "../command-line.ts";
import { UsageError } from "../command-error.ts";
import { parseCount } from "../option-values.ts";
import { type Checksum, parseChecksum } from "./checksum.ts";
import type { FetchFilesOptions } from "./fetch-options.ts";
import { parseUrl } from "./url-list.ts";

/** More at a time would only wait for each other. */
const CONCURRENCY_MAX = 256;

/** Enough for an evening without a network. */
const RETRIES_MAX = 1000;

type Header = readonly [name: string, value: string];

interface Values {
  readonly inputFile?: string;
  readonly output?: string;
  readonly directory: string;
  readonly concurrency: number;
  readonly limitPerHost: number;
  readonly checksum?: Checksum;
  readonly checksums?: string;
  readonly resume: boolean;
  readonly overwrite?: true;
  readonly json?: true;
  readonly header?: readonly Header[];
  readonly proxy?: string;
  readonly caCertificate?: string;
  readonly retry: number;
}

/** Adds `arborio fetch`. */
export function addFetchCommand({ program, shell, act }: CommandSite): void {
  const atATime = parseCount(1, CONCURRENCY_MAX);
  program
    .command("fetch")
    .summary("download files")
    .description(
      "Downloads files, several at a time. What breaks off, or was interrupted or killed, is completed by the same command; a file is there under its name only when it is complete.",
    )
    .argument("[url...]", "what to download, over http or https")
    .option("-i, --input-file <file>", "a list of more URLs, one a line; - is standard input")
    .option(
      "-o, --output <file>",
      "name of the file, for one URL; - is standard output (default: the last part of the URL)",
    )
    .option("-d, --directory <folder>", "where files go", ".")
    .option("--concurrency <number>", "downloads at a time", atATime, 8)
    .option("--limit-per-host <number>", "of them, from one host", atATime, 4)
    .option(
      "--checksum <checksum>",
      "what the file has to be, for one URL: sha256:…, sha512:…, sha1:… or md5:…",
      checksumOption,
    )
    .option("--checksums <file>", "what all files have to be: a list as sha256sum prints it")
    .option("--no-resume", "begin anew, whatever an earlier run has left")
    .option("--overwrite", "replace files that are there (default: leave them)")
    .option(
      "-H, --header <field>",
      'a field of every request, such as "Authorization: Bearer …"; may be repeated',
      headerOption,
    )
    .option(
      "--proxy <url>",
      'http, https, socks5, socks5h, socks4 or socks4a; "" for none (default: as the environment says)',
    )
    .option("--ca-certificate <file>", "authorities to trust instead of the usual ones, in PEM")
    .option(
      "--retry <number>",
      "failures in a row after which a download is given up",
      parseCount(0, RETRIES_MAX),
      3,
    )
    .option("--json", "say what happens by lines of JSON")
    .action(
      act(async (urls: string[], values: Values) => {
        const options = optionsOf(urls, values);
        const { fetchFiles } = await import("./fetch-files.ts");
        return await fetchFiles(options, shell);
      }),
    );
}

function optionsOf(texts: readonly string[], values: Values): FetchFilesOptions {
  const { output, checksum, checksums, header = [], retry, proxy, caCertificate } = values;
  const { directory, concurrency, limitPerHost, resume, overwrite, json } = values;
  const { inputFile } = values;
  const urls = texts.map(parseUrl);
  if (urls.length === 0 && inputFile === undefined)
    throw new UsageError("there is nothing to download: it needs a URL, or --input-file");
  const areSeveral = urls.length > 1 || inputFile !== undefined;
  if (areSeveral && output !== undefined)
    throw new UsageError("--output is for one URL; for several there is --directory");
  if (areSeveral && checksum !== undefined)
    throw new UsageError("--checksum is for one URL; for several there is --checksums");
  if (output !== undefined && (output === "" || output.endsWith("/")))
    throw new UsageError("--output is the name of a file; for a folder there is --directory");
  if (checksum !== undefined && checksums !== undefined)
    throw new UsageError("--checksum and --checksums exclude each other");
  return {
    urls,
    directory,
    concurrency,
    limitPerHost,
    resume,
    overwrite: overwrite === true,
    json: json === true,
    headers: header,
    retries: retry,
    ...(inputFile === undefined ? {} : { inputFile }),
    ...(output === undefined ? {} : { output }),
    ...(checksum === undefined ? {} : { checksum }),
    ...(checksums === undefined ? {} : { checksums }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(caCertificate === undefined ? {} : { caCertificate }),
  };
}

function checksumOption(text: string): Checksum {
  try {
    return parseChecksum(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** Fields that a download sets itself. */
const OWN_FIELDS: readonly string[] = ["range", "if-range", "accept-encoding"];

function headerOption(text: string, before: readonly Header[] = []): Header[] {
  const colon = text.indexOf(":");
  const [name, value] = [text.slice(0, colon), text.slice(colon + 1).trim()];
  if (colon < 1)
    throw new InvalidArgumentError('It needs a name, a colon and a value: "Accept: text/html".');
  if (OWN_FIELDS.includes(name.toLowerCase()))
    throw new InvalidArgumentError("This one is set by the download itself.");
  try {
    new Headers([[name, value]]);
  } catch {
    throw new InvalidArgumentError("There cannot be such a field.");
  }
  return [...before, [name, value]];
}
