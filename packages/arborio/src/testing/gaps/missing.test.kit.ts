import { Gap, type Probe, type ProbeArea } from "./probe.test.kit.ts";

/** What Arborio has no function for, since there is nothing to build one on. It is looked for all the same. */
export const missing: ProbeArea = {
  title: "What no runtime has",
  probes: [noModule("DTLS (RFC 9147)", "node:dtls")],
};

function noModule(feature: string, specifier: string): Probe {
  return {
    feature,
    async check() {
      const wanted: string = specifier;
      try {
        await import(wanted);
      } catch {
        throw new Gap(`there is no module \`${specifier}\``);
      }
    },
  };
}
