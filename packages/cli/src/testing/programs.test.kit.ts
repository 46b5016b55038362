/** Programs that tests run: the text of their modules. */

/** Asks to be let go, and says what happens to it. */
export const SLEEPER = `
import { sleepForever, soft } from "arborio";
export async function main(group, [how]) {
  console.log("ready");
  try {
    if (how === "soft") await soft(() => sleepForever());
    if (how === "soft") console.log("asked");
    await sleepForever();
  } finally {
    console.log("cleaned up");
  }
}
`;

/** Does not care about cancellation. */
export const STUCK = `
import { shielded, sleepForever } from "arborio";
export async function main(group) {
  group.startSoon(() => shielded(() => sleepForever()), { name: "stubborn" });
  console.log("ready");
}
`;
