import {
  BrokenResourceError,
  ClosedResourceError,
  EndOfStream,
  NotSupportedError,
} from "../core/errors.ts";

/** What a closed end answers; `where` is `"ThreadSendChannel.send"`. */
export function closedError(where: string): ClosedResourceError {
  return new ClosedResourceError(
    `${where}: this end of the channel was closed here, or handed over to another thread; use a clone of it for that`,
  );
}

export function brokenError(where: string): BrokenResourceError {
  return new BrokenResourceError(
    `${where}: all receiving ends of the channel are closed, so nobody can get the item`,
  );
}

export function endError(where: string): EndOfStream {
  return new EndOfStream(
    `${where}: all sending ends of the channel are closed, and every item was received`,
  );
}

/** The thread in which the channel lives is gone. */
export function homeGoneError(where: string): BrokenResourceError {
  return new BrokenResourceError(`${where}: the thread that made the channel has ended`);
}

/** For what would block the loop in which the channel lives. */
export function blocksHomeError(where: string, instead: string): NotSupportedError {
  return new NotSupportedError(
    `${where}: it would have to wait, and this is the thread that the channel lives in: blocked, nothing here could end the wait; await ${instead} instead`,
  );
}
