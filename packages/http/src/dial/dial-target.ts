/** What is connected to: the server itself, or the proxy before it. */
export interface DialTarget {
  /** Which of the two it is. */
  readonly role: "origin" | "proxy";
  /** A name, or a numeric address without brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
  /** Path of a Unix socket to connect to instead; `null`: by the network. */
  readonly socketPath: string | null;
  /** Numeric address of this machine to connect from; `null`: any. */
  readonly localHost: string | null;
}
