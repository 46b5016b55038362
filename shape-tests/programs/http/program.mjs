// Run on every runtime against the installed tarballs: every entry loads, and a request gets its response.
import { run } from "arborio";
import { connectTcp } from "arborio/net";
import { HttpResponse, openServer } from "@arborio/http";
import manifest from "@arborio/http/package.json" with { type: "json" };

for (const entry of Object.keys(manifest.exports)) {
  if (entry === "./package.json") continue;
  const names = Object.keys(await import(entry.replace(".", "@arborio/http")));
  if (names.length === 0) throw new Error(`${entry} exports nothing`);
}

const answer = await run(async () => {
  const server = await openServer(() => new HttpResponse("hello"), { port: 0, host: "127.0.0.1" });
  const stream = await connectTcp("127.0.0.1", server.port);
  const text = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  await stream.send(new TextEncoder().encode(text));
  let answered = "";
  for await (const chunk of stream) answered += new TextDecoder().decode(chunk);
  stream.close();
  await server.close();
  return answered;
});
if (!/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/.test(answer))
  throw new Error(`The answer was ${answer}`);
console.log("program ok");
