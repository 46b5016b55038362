import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "arborio/sim";
import { openHttpClient } from "../client/http-client.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { netrcAuth } from "./netrc-auth.ts";

const NETRC = `
machine one.test login me password "my secret"
machine two.test login you password yours
machine 10.0.0.3 login it password its
machine ::1 login home password homes
`;

test("netrcAuth: by host, whatever the port, case and brackets; others get nothing", () => {
  const auth = netrcAuth(NETRC);
  const me = { user: "me", password: "my secret" };
  assert.deepEqual(auth("https://one.test/a"), me);
  assert.deepEqual(auth("http://ONE.test:8080/"), me);
  assert.deepEqual(auth("http://[::1]:80/"), { user: "home", password: "homes" });
  assert.deepEqual(auth("http://167772163/"), { user: "it", password: "its" });
  assert.equal(auth("https://three.test/"), null);
  assert.equal(auth("https://sub.one.test/"), null);
  assert.equal(auth("https://one.test.evil.test/"), null);
  const some = netrcAuth("default login anonymous");
  assert.deepEqual(some("https://three.test/"), { user: "anonymous", password: "" });
  assert.equal(netrcAuth("machine one.test default login x")("https://one.test/"), null);
});

test("netrcAuth: httpsOnly keeps passwords from plain HTTP", () => {
  const auth = netrcAuth(NETRC, { httpsOnly: true });
  assert.equal(auth("http://one.test/"), null);
  assert.notEqual(auth("https://one.test/"), null);
});

test("netrcAuth: takes entries, as they were; a text that is none is an error without its passwords", () => {
  const entries = [{ machine: "one.test", login: "a", password: "b", account: null }];
  const auth = netrcAuth(entries);
  entries.length = 0;
  assert.deepEqual(auth("http://one.test/"), { user: "a", password: "b" });
  assert.throws(
    () => netrcAuth("machine one.test login me password my secret"),
    (error: Error) => error instanceof SyntaxError && !error.message.includes("secret"),
  );
});

for (const seed of [1, 2, 3]) {
  test(`netrcAuth: each host of a chain of redirects gets its own, and no other [seed ${seed}]`, async () => {
    await simulate({ seed }, async (world) => {
      const seen: string[] = [];
      const next: Record<string, string> = {
        "one.test": "http://two.test/",
        "two.test": "http://three.test/",
        "three.test": "http://one.test/end",
      };
      for (const [index, name] of Object.keys(next).entries()) {
        const address = `10.0.0.${index + 1}`;
        world.names.set(name, [address]);
        const host = world.host(name, { addresses: [address] });
        await host.run(() =>
          openServer(
            ({ url, headers }) => {
              seen.push(`${name} ${headers.get("authorization")}`);
              if (url.endsWith("/end")) return new HttpResponse("");
              return new HttpResponse("", {
                status: 302,
                headers: { location: next[name] as string },
              });
            },
            { port: 80, host: address },
          ),
        );
      }
      const expected = [
        `one.test Basic ${btoa("me:my secret")}`,
        `two.test Basic ${btoa("you:yours")}`,
        "three.test null",
        `one.test Basic ${btoa("me:my secret")}`,
      ];
      await using client = openHttpClient({ auth: netrcAuth(NETRC) });
      await client.request("http://one.test/");
      assert.deepEqual(seen.splice(0), expected);
      await using plain = openHttpClient();
      await plain.request("http://one.test/", { auth: netrcAuth(NETRC) });
      assert.deepEqual(seen.splice(0), expected);
      await client.request("http://u:p@one.test/end");
      assert.deepEqual(seen.splice(0), [`one.test Basic ${btoa("u:p")}`]);
      await using based = openHttpClient({ base: "http://two.test/", auth: netrcAuth(NETRC) });
      await based.request("http://one.test/end");
      assert.deepEqual(seen.splice(0), ["one.test null"], "another origin than the base");
    });
  });
}
