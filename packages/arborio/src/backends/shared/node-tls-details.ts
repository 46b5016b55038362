import type {
  SocketAddress,
  SocketOptions,
  TlsInfo,
  Wire,
  WireDetails,
} from "../../platform/wire.ts";

/** What is known about a wire of TLS: its own part, and that of the wire below. */
export class TlsWireDetails implements WireDetails {
  tls: TlsInfo | undefined = undefined;
  securing = true;
  readonly #lower: Wire;

  constructor(lower: Wire) {
    this.#lower = lower;
  }

  get localAddress(): SocketAddress | undefined {
    return this.#lower.details.localAddress;
  }

  get remoteAddress(): SocketAddress | undefined {
    return this.#lower.details.remoteAddress;
  }

  get descriptor(): number | undefined {
    return this.#lower.details.descriptor;
  }

  setOptions(options: SocketOptions): void {
    this.#lower.details.setOptions(options);
  }
}
