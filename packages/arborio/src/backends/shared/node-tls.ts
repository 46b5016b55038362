import { NotSupportedError } from "../../core/errors.ts";
import type { Tls, TlsSettings } from "../../platform/tls.ts";
import type { Wire } from "../../platform/wire.ts";
import { checkIdentity, clientContext } from "./node-tls-context.ts";
import { HAS_SESSIONS } from "./node-tls-engine.ts";
import { TlsWire } from "./node-tls-wire.ts";

/** TLS through `node:tls`, over any wire. */
export const nodeTls: Tls = {
  checkIdentity(identity) {
    checkIdentity(identity);
  },
  wrap(wire: Wire, settings: TlsSettings): Wire {
    if (settings.side === "server") return new TlsWire(wire, settings, null);
    if (!HAS_SESSIONS && (settings.session ?? settings.onSession) !== undefined) {
      throw new NotSupportedError(
        "TLS with { session } or { onSession }: Deno keeps sessions to itself, and resumes none over a stream; leave them out",
      );
    }
    return new TlsWire(wire, settings, clientContext(settings));
  },
};
