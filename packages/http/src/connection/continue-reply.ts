import type { ServerConnection } from "./server-connection.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** `100 Continue`: sent when somebody wants the body of a client that waits for it, and not before (RFC 9110 §10.1.1). */
export class ContinueReply {
  readonly #connection: ServerConnection;
  #isOwed = false;
  #isExpected = false;
  /** Bytes of the connection up to the body. */
  #bytesBefore = 0;

  constructor(connection: ServerConnection) {
    this.#connection = connection;
  }

  /** The head of a request was read. */
  begin(isExpected: boolean): void {
    this.#isExpected = isExpected;
    if (!isExpected) return;
    const { inlet, parser } = this.#connection;
    this.#bytesBefore = inlet.bytesReceived - parser.bufferedBytes;
  }

  /** Whether the client waits, and has not been answered. */
  get isExpected(): boolean {
    return this.#isExpected;
  }

  /** Somebody wants the body. */
  wanted(): void {
    if (!this.#isExpected) return;
    this.#isExpected = false;
    const { inlet, outlet } = this.#connection;
    // A client that has begun to send does not wait.
    if (inlet.bytesReceived > this.#bytesBefore) return;
    if (outlet.isWriting) this.#isOwed = true;
    else this.#send();
  }

  /** The wire has handed over what it had. */
  written(): void {
    if (this.#isOwed && !this.#connection.outlet.isWriting) this.#send();
  }

  #send(): void {
    this.#isOwed = false;
    const { outlet, isAnswered } = this.#connection;
    if (isAnswered) return;
    outlet.addLatin1(CONTINUE);
    outlet.flush();
  }
}
