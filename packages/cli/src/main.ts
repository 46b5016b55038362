#!/usr/bin/env node
/**
 * The `arborio` command: arguments in, exit code out.
 *
 * What a program throws, and what its file has wrong, is not caught anywhere: the runtime says it best, with the place in the source. An
 * `InterruptedError` is not caught either: then the process ends quietly with 128 and the signal's number, as every `run` does.
 */
import { runCommandLine } from "./command-line.ts";
import { createShell } from "./host/shell.ts";

const shell = createShell();
const finished = shell.finish(runCommandLine(shell));
if (shell.isAwaited) await finished;
