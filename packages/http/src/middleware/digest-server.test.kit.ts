/** A server that checks Digest, after RFC 7616 alone: it knows nothing of the client. Whether it is right, curl tells. */
import { createHash } from "node:crypto";
import { sleep } from "arborio";
import { HttpResponse } from "../web/http-response.ts";

export interface DigestServerOptions {
  readonly realm?: string;
  /** As the challenge has it; `null`: none. */
  readonly algorithm?: string | null;
  /** `null`: as before RFC 2617. */
  readonly qop?: string | null;
  readonly domain?: string;
  /** How often a nonce may be used. Default: any number. */
  readonly nonceUses?: number;
  /** Whether each response has a nonce for the next request, which alone is good then. */
  readonly givesNext?: boolean;
  /** Whether it says `stale`. */
  readonly saysStale?: boolean;
}

export const USER = "Mufasa";
export const PASSWORD = "Circle of Life";

/** What became of a request. */
export type Verdict = "none" | "good" | "stale" | `wrong ${string}`;

export class DigestServer {
  readonly verdicts: Verdict[] = [];
  readonly authorizations: (string | null)[] = [];
  password: string = PASSWORD;
  readonly #options: DigestServerOptions;
  /** With the highest count that was seen, and how often it was used. */
  readonly #nonces: Map<string, { readonly counts: Set<number>; cnonce: string }> = new Map();
  #made = 0;

  constructor(options: DigestServerOptions = {}) {
    this.#options = options;
  }

  /** Forgets its nonces, as a server that is started again. */
  restart(): void {
    this.#nonces.clear();
  }

  async answer(request: Request): Promise<HttpResponse> {
    const body = new Uint8Array(await request.arrayBuffer());
    const authorization = request.headers.get("authorization");
    const verdict = this.#judge(request, body, authorization);
    this.verdicts.push(verdict);
    this.authorizations.push(authorization);
    if (verdict !== "good") {
      const isStale = verdict === "stale" && this.#options.saysStale !== false;
      const headers = { "www-authenticate": this.#challenge(isStale) };
      return new HttpResponse(
        async (sink) => {
          await sink.send("who are ");
          await sleep(1);
          await sink.send("you?");
        },
        { status: 401, headers },
      );
    }
    const headers: Record<string, string> = {};
    if (this.#options.givesNext === true) {
      this.#nonces.clear();
      headers["authentication-info"] = `nextnonce="${this.#newNonce()}"`;
    }
    return new HttpResponse(`welcome, ${body.length}`, { headers });
  }

  #challenge(isStale: boolean): string {
    const {
      realm = 'a "quoted" realm',
      algorithm = "SHA-256",
      qop = "auth",
      domain,
    } = this.#options;
    return [
      `Digest realm="${realm.replace(/["\\]/g, "\\$&")}"`,
      `nonce="${this.#newNonce()}"`,
      'opaque="as it is"',
      ...(algorithm === null ? [] : [`algorithm=${algorithm}`]),
      ...(qop === null ? [] : [`qop="${qop}"`]),
      ...(domain === undefined ? [] : [`domain="${domain}"`]),
      ...(isStale ? ["stale=TRUE"] : []),
    ].join(", ");
  }

  #newNonce(): string {
    const nonce = `nonce${++this.#made}==`;
    this.#nonces.set(nonce, { counts: new Set(), cnonce: "" });
    return nonce;
  }

  #judge(request: Request, body: Uint8Array, authorization: string | null): Verdict {
    if (authorization?.startsWith("Digest ") !== true) return "none";
    const given: Record<string, string> = {};
    for (const [, name = "", quotedText, bare] of authorization
      .slice(7)
      .matchAll(/(\w+\*?)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))(?:, |$)/g))
      given[name] =
        quotedText === undefined ? (bare as string) : quotedText.replace(/\\(.)/g, "$1");
    const { realm = 'a "quoted" realm', algorithm = "SHA-256", qop = "auth" } = this.#options;
    const { pathname, search } = new URL(request.url);
    if (given["realm"] !== realm) return "wrong realm";
    if (given["uri"] !== pathname + search) return "wrong uri";
    if (given["opaque"] !== "as it is") return "wrong opaque";
    if (given["username"] !== USER) return "wrong user";
    if ((given["algorithm"] ?? null) !== algorithm) return "wrong algorithm";
    const isSession = /-sess$/i.test(algorithm ?? "");
    const hash = (algorithm ?? "MD5")
      .replace(/-sess$/i, "")
      .replace("SHA-", "sha")
      .toLowerCase();
    const h = (...parts: readonly (string | Uint8Array | undefined)[]): string => {
      const state = createHash(hash);
      for (const [index, part] of parts.entries())
        state.update(index === 0 ? "" : ":").update(part ?? "");
      return state.digest("hex");
    };
    const { nonce, nc, cnonce } = given;
    let secret = h(USER, realm, this.password);
    if (isSession) secret = h(secret, nonce, cnonce);
    const question =
      given["qop"] === "auth-int"
        ? h(request.method, given["uri"], createHash(hash).update(body).digest("hex"))
        : h(request.method, given["uri"]);
    if (qop === null ? given["qop"] !== undefined : !qop.split(",").includes(given["qop"] ?? ""))
      return "wrong qop";
    const expected =
      qop === null
        ? h(secret, nonce, question)
        : h(secret, nonce, nc, cnonce, given["qop"], question);
    if (given["response"] !== expected) return "wrong response";
    const known = this.#nonces.get(nonce ?? "");
    if (known === undefined) return "stale";
    if (qop === null) return "good";
    const count = Number.parseInt(nc ?? "", 16);
    if (!/^[0-9a-f]{8}$/.test(nc ?? "") || known.counts.has(count)) return "wrong count";
    if (isSession && known.cnonce !== "" && known.cnonce !== cnonce) return "wrong cnonce";
    known.cnonce = cnonce ?? "";
    known.counts.add(count);
    const { nonceUses = Infinity } = this.#options;
    return known.counts.size > nonceUses ? "stale" : "good";
  }
}
