import { CommandProcess, type ModuleFolder } from "./command.test.kit.ts";

/** Starts \`arborio serve --json --port 0\`, and gives its URL too. */
export async function served(
  folder: ModuleFolder,
  text: string,
  ...options: string[]
): Promise<{ command: CommandProcess; url: string }> {
  const file = folder.write("app.mjs", text);
  const command = new CommandProcess(["serve", "--json", "--port", "0", ...options, file]);
  const [line] = await command.until(/^\{"event":"listening".*\}$/m);
  return { command, url: (JSON.parse(line) as { url: string }).url };
}
