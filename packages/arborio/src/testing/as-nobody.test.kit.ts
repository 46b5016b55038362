import process from "node:process";

/** Number of a user without rights. */
export const NOBODY = 65_534;

/** Does something as a user who may do nothing special, also where root runs the tests, who may do everything. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const user = process.geteuid?.() ?? NOBODY;
  if (user === 0) process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    if (user === 0) process.seteuid?.(user);
  }
}
