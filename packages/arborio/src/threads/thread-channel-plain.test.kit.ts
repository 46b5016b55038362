/** A plain thread, of `node:worker_threads` or of the web, that uses channels; outside any `run`. */
import { parentPort } from "node:worker_threads";
import {
  connectPortal,
  connectReceiveChannel,
  connectSendChannel,
  createThreadChannel,
} from "../threads.ts";
import { double } from "./thread-channel.test.kit.ts";

/** What the tests ask for. */
export type PlainRequest =
  /** Doubles what it receives, through ends that the tests give. */
  | { readonly do: "double"; readonly from: MessagePort; readonly to: MessagePort }
  /** Doubles what it receives, through channels of its own. */
  | { readonly do: "make" }
  | { readonly do: "portal"; readonly handle: MessagePort };

type Post = (message: unknown, transfer: readonly MessagePort[]) => void;

async function serve(request: PlainRequest, post: Post): Promise<void> {
  if (request.do === "double") {
    using from = connectReceiveChannel<number>(request.from);
    using to = connectSendChannel<number>(request.to);
    post(await double({ from, to }), []);
  } else if (request.do === "make") {
    const [sender, from] = createThreadChannel<number>(1);
    const [to, receiver] = createThreadChannel<number>(1);
    const ports = [sender.handOver(), receiver.handOver()];
    post(ports, ports);
    await double({ from, to });
    from.close();
    to.close();
  } else {
    using portal = connectPortal(request.handle);
    post([await portal.call("add", 1, 2), portal.callSync("add", 3, 4)], []);
  }
}

const web = globalThis as unknown as {
  WorkerGlobalScope?: unknown;
  onmessage: ((event: MessageEvent<PlainRequest>) => void) | null;
  postMessage: Post;
};

if (parentPort !== null) {
  const port = parentPort;
  port.once("message", (request: PlainRequest) => {
    void serve(request, (message, transfer) => port.postMessage(message, transfer as never));
  });
} else if (web.WorkerGlobalScope !== undefined) {
  web.onmessage = ({ data }) =>
    void serve(data, (message, transfer) => web.postMessage(message, transfer));
}
