/** What `console.warn` was told while `body` ran. */
export async function warningsOf(
  body: (warnings: readonly string[]) => Promise<void>,
): Promise<string[]> {
  const warnings: string[] = [];
  const { warn } = console;
  console.warn = (message: string) => void warnings.push(message);
  try {
    await body(warnings);
  } finally {
    console.warn = warn;
  }
  return warnings;
}
