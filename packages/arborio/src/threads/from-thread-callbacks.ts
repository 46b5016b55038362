/** The caller's side of `fromThread`: functions of its own that a call may call. */
import type { CancelScope } from "../core/scope.ts";
import { ambientScope } from "../core/ambient.ts";
import type { Call, CallExtension } from "./call.ts";
import { Caller, FunctionServer, whileServing } from "./portal-functions.ts";
import type { CallableFunctions, FromFunctions, ToFunctions } from "./portal-protocol.ts";

/** What a call with callbacks brings along: the worker knows by it that there are some. */
export const WITH_CALLBACKS = "callbacks";

/**
 * Makes a call whose function may call `callbacks`. They run in tasks of a group around the call, so everything about them is as if the
 * caller had called them itself. Those that still run when the call has ended are cancelled, and waited for.
 */
export async function callWithCallbacks(
  where: string,
  callbacks: CallableFunctions,
  begin: (extra: unknown, extension: CallExtension) => Promise<unknown>,
): Promise<unknown> {
  const extension = new CallbackExtension(`${where}({ callbacks })`, callbacks);
  const body = async (): Promise<unknown> => {
    try {
      return await begin(WITH_CALLBACKS, extension);
    } finally {
      extension.left();
    }
  };
  return await whileServing(extension.server, `callbacks of ${where}`, body, () => true);
}

class CallbackExtension implements CallExtension {
  readonly server: FunctionServer;
  readonly #caller: Caller;
  #call: Call | null = null;

  constructor(where: string, callbacks: CallableFunctions) {
    this.server = new FunctionServer(where, callbacks);
    const { onUnhandled } = ambientScope().runState;
    this.#caller = new Caller(this.server, onUnhandled, (message, transfer) =>
      this.#tell(message, transfer),
    );
  }

  began(call: Call, _scope: CancelScope): void {
    this.#call = call;
  }

  told(payload: unknown): void {
    this.#caller.told(payload as ToFunctions);
  }

  ended(): void {
    this.left();
    this.#caller.gone();
  }

  /** The caller does not wait any more. The function may: it is told that nothing comes of its callbacks. */
  left(): void {
    this.server.end();
    this.#caller.cancelCalls("the caller does not wait for this call any more");
  }

  #tell(message: FromFunctions, transfer: readonly object[] | undefined): void {
    this.#call?.tell(message, transfer);
  }
}
