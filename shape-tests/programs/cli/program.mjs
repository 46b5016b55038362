// Run by `arborio run` on every runtime, from the installed tarballs.
import { sleep } from "arborio";

export async function main(group) {
  group.startSoon(async () => {
    await sleep(1);
    console.log("program ok");
  });
}
