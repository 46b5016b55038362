/** llhttp, the parser of Node.js, as undici carries it: what it makes of input, to be compared. */
import { textOf } from "./corpus.test.kit.ts";

/** A message as both parsers see it. */
export interface SeenMessage {
  /** Method and target, or status and reason. */
  readonly start: string;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** Whether its end was found. */
  readonly isComplete: boolean;
  /** Whether another protocol follows. */
  readonly switches: boolean;
  /** Whether the connection ends after it: llhttp reads no further then. */
  readonly isLast: boolean;
}

/** What it made of input. */
export interface Seen {
  readonly messages: readonly SeenMessage[];
  /** Empty: no error, up to the end of the connection. */
  readonly error: string;
}

type Callback = (parser: number, at: number, length: number, keepAlive: number) => number;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  malloc(bytes: number): number;
  free(at: number): void;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, at: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_method_name(method: number): number;
  llhttp_get_status_code(parser: number): number;
  llhttp_set_lenient_data_after_close(parser: number, enabled: number): void;
}

/** The part of `WebAssembly` that is used: not all runtimes' types have it. */
interface WebAssemblyLike {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
}

const TYPES = { request: 1, response: 2 } as const;
/** Asks for a pause after the head: what another protocol says is not read. */
const PAUSED_UPGRADE = 22;

class Draft implements SeenMessage {
  start = "";
  target = "";
  reason = "";
  fields: string[] = [];
  trailers: string[] = [];
  body = "";
  isComplete = false;
  switches = false;
  isLast = false;
  hasHead = false;
}

/** llhttp, loaded. */
export class Llhttp {
  readonly #wasm: Exports;
  #bytes: Uint8Array = new Uint8Array(0);
  #base = 0;
  #messages: Draft[] = [];
  #isValue = false;

  /** @param code Its WebAssembly: the default export of `undici/lib/llhttp/llhttp-wasm.js`. */
  constructor(code: Uint8Array) {
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyLike })
      .WebAssembly;
    const env = this.#callbacks();
    this.#wasm = new Instance(new Module(code), { env }).exports as Exports;
    this.#wasm._initialize();
  }

  /** What it makes of input that comes in one piece, and of the end. */
  read(role: "request" | "response", bytes: Uint8Array): Seen {
    const wasm = this.#wasm;
    const parser = wasm.llhttp_alloc(TYPES[role]);
    // Whether there may be another message after one that closes is the connection's to know.
    wasm.llhttp_set_lenient_data_after_close(parser, 1);
    const at = wasm.malloc(bytes.length + 1);
    new Uint8Array(wasm.memory.buffer).set(bytes, at);
    this.#bytes = bytes;
    this.#base = at;
    this.#messages = [];
    let status = wasm.llhttp_execute(parser, at, bytes.length);
    if (status === 0) status = wasm.llhttp_finish(parser);
    const switches = status === PAUSED_UPGRADE;
    const error = status === 0 || switches ? "" : this.#reasonOf(parser);
    wasm.free(at);
    wasm.llhttp_free(parser);
    const messages = this.#messages.filter((message) => message.hasHead);
    return { messages, error };
  }

  #callbacks(): Record<string, Callback> {
    const text = (at: number, length: number): string =>
      textOf(this.#bytes.subarray(at - this.#base, at - this.#base + length));
    const current = (): Draft => this.#messages.at(-1) as Draft;
    return {
      wasm_on_message_begin: () => {
        this.#messages.push(new Draft());
        this.#isValue = true;
        return 0;
      },
      wasm_on_url: (_, at, length) => {
        current().target += text(at, length);
        return 0;
      },
      wasm_on_status: (_, at, length) => {
        current().reason += text(at, length);
        return 0;
      },
      wasm_on_header_field: (_, at, length) => this.#add(current(), false, text(at, length)),
      wasm_on_header_value: (_, at, length) => this.#add(current(), true, text(at, length)),
      wasm_on_headers_complete: (parser, status, upgrade, keepAlive) => {
        const message = current();
        const method = this.#textAt(
          this.#wasm.llhttp_method_name(this.#wasm.llhttp_get_method(parser)),
        );
        message.start =
          status === 0 ? `${method} ${message.target}` : `${status} ${message.reason}`;
        message.hasHead = true;
        message.switches = upgrade === 1;
        message.isLast = keepAlive !== 1;
        this.#isValue = true;
        return 0;
      },
      wasm_on_body: (_, at, length) => {
        current().body += text(at, length);
        return 0;
      },
      wasm_on_message_complete: () => {
        current().isComplete = true;
        return 0;
      },
    };
  }

  #add(message: Draft, isValue: boolean, text: string): 0 {
    const list = message.hasHead ? message.trailers : message.fields;
    if (isValue !== this.#isValue) list.push(text);
    else if (isValue || list.length > 0) list.push(`${list.pop() ?? ""}${text}`);
    this.#isValue = isValue;
    return 0;
  }

  #reasonOf(parser: number): string {
    return this.#textAt(this.#wasm.llhttp_get_error_reason(parser)) || "error without a reason";
  }

  #textAt(at: number): string {
    const memory = new Uint8Array(this.#wasm.memory.buffer);
    return textOf(memory.subarray(at, memory.indexOf(0, at)));
  }
}
