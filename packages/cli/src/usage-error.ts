/** The command line is wrong: exit code 2, and this message on standard error. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
