import { Cancelled, now } from "arborio";
import { onTaskEnd } from "arborio/lowlevel";
import { ClientRequest } from "./client-request.ts";
import { ClientResponse, type Transfer } from "./client-response.ts";
import type { ClientTrace, ExchangeOutcome, SentRequest, TracedResponse } from "./client-trace.ts";
import { TracedBody } from "./traced-body.ts";

/** What calls hooks: reports what they throw. */
export type CallHook = <Hook extends keyof ClientTrace>(
  hook: Hook,
  ...facts: Parameters<Required<ClientTrace>[Hook]>
) => void;

/** One request on its way, for hooks. */
export class TracedExchange {
  readonly #call: CallHook;
  readonly #request: SentRequest;
  #response: TracedResponse | null = null;
  #received: ClientResponse | null = null;
  #bodyBytes = 0;
  #hasEnded = false;
  #forgotten: Disposable | null = null;

  constructor(call: CallHook, { method, url, fields, sends }: ClientRequest) {
    const resends = sends.count;
    sends.count += 1;
    this.#call = call;
    this.#request = { method, url, fields, resends, startedAt: now() };
    call("requestStart", this.#request);
  }

  /** Sends it by `send`, and gives its response, whose body is watched. */
  async run(
    request: ClientRequest,
    send: (request: ClientRequest) => Promise<ClientResponse>,
    watchesUpload: boolean,
  ): Promise<ClientResponse> {
    let response: ClientResponse;
    try {
      response = await send(watchesUpload ? this.#watchingUpload(request) : request);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    return this.#begin(response);
  }

  // What the transport tells ---------------------------------------------------------------------------------------------

  queued(): void {
    this.#call("connectionQueued", this.#request);
  }

  connecting(): void {
    this.#call("connectionStart", this.#request);
  }

  /** @param error `null`: it is connected. */
  connected(error: unknown): void {
    this.#call("connectionEnd", this.#request, error);
  }

  reused(): void {
    this.#call("connectionReused", this.#request);
  }

  // What the body tells --------------------------------------------------------------------------------------------------

  received(bytes: number): void {
    this.#bodyBytes += bytes;
    this.#call("downloadProgress", this.#request, this.#bodyBytes);
  }

  ended(): void {
    this.#end("complete");
  }

  left(): void {
    this.#end("left");
  }

  failed(error: unknown): void {
    this.#fail(error);
  }

  #watchingUpload(request: ClientRequest): ClientRequest {
    const { options } = request;
    const onUploadProgress = (bytesSent: number, bytesTotal: number | undefined): void => {
      this.#call("uploadProgress", this.#request, bytesSent, bytesTotal);
      options.onUploadProgress?.(bytesSent, bytesTotal);
    };
    return new ClientRequest({ ...request.parts, options: { ...options, onUploadProgress } });
  }

  #begin(response: ClientResponse): ClientResponse {
    const { status, fields, httpVersion, source } = response;
    this.#response = { status, fields, httpVersion };
    this.#received = response;
    this.#call("responseStart", this.#request, this.#response);
    const { payload } = source;
    if (source.upgraded !== undefined) {
      this.#end("upgraded");
      return response;
    }
    if (payload === null || payload instanceof Uint8Array) {
      if (payload !== null && payload.length > 0) this.received(payload.length);
      this.#end("complete");
      return response;
    }
    // Then the body is closed: see the transport.
    this.#forgotten = onTaskEnd(() => this.left());
    const { transfer } = source;
    return new ClientResponse({
      ...source,
      payload: new TracedBody(payload, this),
      ...(transfer === undefined ? {} : { transfer: this.#keeping(transfer) }),
    });
  }

  #keeping(transfer: Transfer): Transfer {
    return {
      get bytesReceived() {
        return transfer.bytesReceived;
      },
      sent: () => transfer.sent(),
      keep: () => {
        this.#forgotten?.[Symbol.dispose]();
        transfer.keep();
      },
    };
  }

  #fail(error: unknown): void {
    if (this.#hasEnded) return;
    if (error instanceof Cancelled) return this.#end("cancelled");
    this.#call("requestError", this.#request, error);
    this.#end("failed");
  }

  #end(outcome: ExchangeOutcome): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#forgotten?.[Symbol.dispose]();
    this.#call("requestEnd", this.#request, {
      outcome,
      response: this.#response,
      bodyBytes: this.#bodyBytes,
      bytesReceived: this.#received?.bytesReceived ?? 0,
      endedAt: now(),
    });
  }
}
