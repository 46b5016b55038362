/** The files of a folder: `node main.ts FOLDER 8000`. See README.md beside it. */
import { run } from "arborio";
import { stat } from "arborio/fs";
import { accessLog, openServer } from "@arborio/http";
import { portFrom, readArguments } from "../shared/read-arguments.ts";
import { createHandler } from "./handler.ts";

/** How long downloads may go on after the first Ctrl-C. */
const GRACE_MS = 5000;

const USAGE = "[FOLDER [PORT]]";
const [folder = ".", portText = "8000"] = readArguments(USAGE, {}).rest;
const port = portFrom(USAGE, portText);

await run(
  async (group) => {
    if ((await stat(folder)).kind !== "directory") {
      throw new TypeError(`file-server: ${folder} is no directory, needs one to serve`);
    }
    const server = await openServer(createHandler(folder), {
      port,
      host: "localhost",
      group,
      trace: accessLog(),
    });
    console.log(`${folder} on ${server.url}`);
  },
  { graceMs: GRACE_MS },
);
