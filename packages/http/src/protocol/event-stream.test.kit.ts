/** An event as a browser dispatches it. */
export interface DispatchedEvent {
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
}

/** What a whole event stream says to a browser: the HTML Standard's §9.2.6 word by word, with no thought of speed. */
export function readEventStream(stream: string): {
  readonly events: DispatchedEvent[];
  readonly comments: string[];
  readonly retryMs: number | undefined;
  readonly lastEventId: string;
} {
  const events: DispatchedEvent[] = [];
  const comments: string[] = [];
  let retryMs: number | undefined;
  let data = "";
  let type = "";
  let idBuffer = "";
  let lastEventId = "";
  const lines = stream.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  lines.pop(); // what follows the last line end is no line yet
  for (const line of lines) {
    if (line === "") {
      lastEventId = idBuffer;
      if (data !== "")
        events.push({ type: type || "message", data: data.slice(0, -1), lastEventId });
      data = "";
      type = "";
      continue;
    }
    const colon = line.indexOf(":");
    if (colon === 0) {
      comments.push(line.slice(1));
      continue;
    }
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") type = value;
    else if (name === "data") data += `${value}\n`;
    else if (name === "id" && !value.includes("\0")) idBuffer = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) retryMs = Number(value);
  }
  return { events, comments, retryMs, lastEventId };
}
