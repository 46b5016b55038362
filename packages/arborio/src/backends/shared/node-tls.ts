import { NotSupportedError } from "../../core/errors.ts";
import type { Tls, TlsIdentity, TlsSettings } from "../../platform/tls.ts";
import type { Wire } from "../../platform/wire.ts";
import { checkIdentity, clientContext } from "./node-tls-context.ts";
import { HAS_SESSIONS } from "./node-tls-engine.ts";
import { TlsWire } from "./node-tls-wire.ts";

/** TLS through `node:tls`, over any wire. */
export const nodeTls: Tls = {
  prepare(settings: TlsSettings, identities: readonly TlsIdentity[]): void {
    for (const identity of identities) checkIdentity(identity);
    if (settings.side === "server") return;
    if (!HAS_SESSIONS && (settings.session ?? settings.onSession) !== undefined) {
      throw new NotSupportedError(
        "tls({ session, onSession }): Deno keeps sessions to itself, and resumes none over a stream; leave both out",
      );
    }
    clientContext(settings);
  },
  wrap(wire: Wire, settings: TlsSettings): Wire {
    this.prepare(settings, []);
    return new TlsWire(wire, settings);
  },
};
