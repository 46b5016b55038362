type Settle = (value: never) => void;

/** The settling functions of the promise made last; to be read at once. One object for all: millions of waits make a promise each. */
export const captured: { resolve: Settle; reject: Settle } = { resolve: ignore, reject: ignore };

/** The one executor of the library's promises: `new Promise(capture)`, then read `captured`. It needs no closure per promise. */
export const capture: (
  resolve: (value: never) => void,
  reject: (error: unknown) => void,
) => void = (resolve, reject) => {
  captured.resolve = resolve;
  captured.reject = reject;
};

/** Does nothing; as a rejection handler it marks a promise as handled. */
export function ignore(): void {}
