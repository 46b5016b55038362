/**
 * Echo over TCP, TLS, Unix sockets and UDP. See README.md beside it.
 *
 *     node main.ts serve --tcp 7000 --udp 7000
 *     node main.ts ask --tcp 7000 hello
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { run } from "arborio";
import { askForEcho, type EchoTarget } from "./client.ts";
import { type EchoAddresses, type EchoPlaces, serveEcho } from "./server.ts";

const USAGE = `Usage:
  main.ts serve [--host HOST] [--tcp PORT] [--tls PORT --certificate FILE --key FILE] [--udp PORT] [--unix PATH]
  main.ts ask   [--host HOST] (--tcp PORT | --tls PORT [--certificate FILE] | --udp PORT | --unix PATH) TEXT
Ctrl-C asks the server to stop: connections have 5 s to end.`;

/** How long connections may go on after the first Ctrl-C. */
const GRACE_MS = 5000;
const ANSWER_MS = 5000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    host: { type: "string", default: "localhost" },
    tcp: { type: "string" },
    tls: { type: "string" },
    udp: { type: "string" },
    unix: { type: "string" },
    certificate: { type: "string" },
    key: { type: "string" },
  },
});

const [command, ...words] = positionals;
if (command === "serve") await serve();
else if (command === "ask") await ask(words.join(" "));
else {
  console.error(USAGE);
  process.exitCode = 2;
}

async function serve(): Promise<void> {
  await run(
    async (group) => {
      const addresses = await group.start<EchoAddresses>((status) => serveEcho(places(), status));
      for (const [protocol, place] of Object.entries(addresses))
        console.log(`${protocol} ${place}`);
    },
    { graceMs: GRACE_MS },
  );
}

async function ask(text: string): Promise<void> {
  const message = new TextEncoder().encode(text);
  const echo = await run(() => askForEcho(target(), message, ANSWER_MS));
  console.log(new TextDecoder().decode(echo));
}

function places(): EchoPlaces {
  const { host, tcp, tls, udp, unix, certificate = "", key = "" } = values;
  return {
    host,
    ...(tcp === undefined ? {} : { tcp: Number(tcp) }),
    ...(udp === undefined ? {} : { udp: Number(udp) }),
    ...(unix === undefined ? {} : { unix }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            port: Number(tls),
            identity: {
              certificate: readFileSync(certificate, "utf8"),
              privateKey: readFileSync(key, "utf8"),
            },
          },
        }),
  };
}

function target(): EchoTarget {
  const { host, tcp, tls, udp, unix, certificate } = values;
  if (tcp !== undefined) return { protocol: "tcp", host, port: Number(tcp) };
  if (udp !== undefined) return { protocol: "udp", host, port: Number(udp) };
  if (unix !== undefined) return { protocol: "unix", path: unix };
  const trusted = certificate === undefined ? {} : { trusted: readFileSync(certificate, "utf8") };
  return { protocol: "tls", host, port: Number(tls), ...trusted };
}
