/** The subject `raw`: on each runtime the server of the runtime's own callbacks or calls, without a library. */
if ("Bun" in globalThis) await import("./raw-bun.ts");
else if ("Deno" in globalThis) await import("./raw-deno.ts");
else await import("./node-net.ts");
