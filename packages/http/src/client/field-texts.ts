import { isForwarded, type Route } from "../dial/route.ts";
import type { FieldList } from "../protocol/message.ts";
import { requireFieldName, requireFieldValue } from "../protocol/require-text.ts";
import { firstField, isName } from "../web/field-names.ts";
import type { ClientRequest } from "./client-request.ts";

/** Writes the fields of requests as they go on the line. */
export class FieldTexts {
  /** Fields that do not change, a client's own, and where they went: as a rule the next request has the same. */
  #fields: FieldList | null = null;
  #authority = "";
  #route: Route | null = null;
  #text = "";

  /** With `Host`, and without those that the connection sets. @throws TypeError if something of it cannot be sent. */
  of(request: ClientRequest, route: Route, upgrade: string): string {
    const { fields, target } = request;
    if (upgrade !== "") return fieldText(request, route, upgrade);
    const { authority } = target;
    if (fields === this.#fields && authority === this.#authority && route === this.#route)
      return this.#text;
    const text = fieldText(request, route, "");
    if (Object.isFrozen(fields)) {
      this.#text = text;
      this.#fields = fields;
      this.#authority = authority;
      this.#route = route;
    }
    return text;
  }
}

function fieldText({ target, fields }: ClientRequest, route: Route, upgrade: string): string {
  // Who gives one means another host of the same server.
  let text = firstField(fields, "host") === null ? `host: ${target.authority}\r\n` : "";
  if (upgrade !== "") text += `connection: upgrade\r\nupgrade: ${requireFieldValue(upgrade)}\r\n`;
  const proxy = isForwarded(route) ? route.proxy : null;
  if (proxy !== null) text += proxy.fieldText;
  for (let at = 0; at < fields.length; at += 2) {
    const name = requireFieldName(fields[at] as string);
    // For a proxy alone, and once.
    if (isName(name, "proxy-authorization") && proxy?.hasAuthorization !== false) continue;
    text += `${name}: ${requireFieldValue(fields[at + 1] as string)}\r\n`;
  }
  return text;
}
