/** Bits of `CancelScope.flags`: one small integer instead of a field each. */
export const OPEN = 1;
/** The body has ended; what floats below is being cancelled and waited for. */
export const CLOSING = 2;
export const CLOSED = 4;
export const SHIELD = 8;
/** Cancelled as soon as a shutdown asks. */
export const SOFT = 16;
/** A shutdown has asked here. */
export const ASKED = 32;
/** The scope took away a `Cancelled` that it owned. */
export const CAUGHT = 64;
/** A task that does not keep its group open. */
export const DAEMON = 128;
/** The task's function has been called. */
export const STARTED = 256;
export const FINISHED = 512;
export const FAILED = 1024;
export const CANCELLED = 2048;
/** The body of the group has ended. */
export const BODY_ENDED = 4096;
/** The scope was cancelled by its own deadline. */
export const TIMED_OUT = 8192;
/** A task of a combinator: what it takes, it takes for the task that waits for it. */
export const ON_BEHALF = 16384;
