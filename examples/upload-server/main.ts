/** Takes files of any size, and shows how far they are: `node main.ts FOLDER 8000`. See README.md beside it. */
import { run } from "arborio";
import { openServer } from "@arborio/http";
import { portFrom, readArguments } from "../shared/read-arguments.ts";
import { folderStore } from "./folder-store.ts";
import { createHandler } from "./handler.ts";

/** How long uploads may go on after the first Ctrl-C. */
const GRACE_MS = 10_000;

const USAGE = "[FOLDER [PORT]]";
const [folder = "uploads", portText = "8000"] = readArguments(USAGE, {}).rest;
const port = portFrom(USAGE, portText);

await run(
  async (group) => {
    const handler = createHandler(folderStore(folder));
    const options = { port, host: "localhost", group };
    const server = await openServer(handler, options);
    console.log(`uploads to ${folder} on ${server.url}`);
  },
  { graceMs: GRACE_MS },
);
