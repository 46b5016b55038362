// Bundled for browsers. There is no backend for them yet: this must fail, and say so.
import { run, sleep } from "arborio";

await run(async () => {
  await sleep(1);
});
