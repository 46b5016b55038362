/** The page: it enters a room, shows what is said there, and comes again when it was cut off. What it shows is text, never markup. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Chat</title>
<style>
  body { font: 16px system-ui; margin: 2em auto; max-width: 40em; color: #223 }
  #lines { height: 20em; overflow-y: auto; background: #f4f4f8; padding: .5em 1em; list-style: none }
  #lines .note { color: #889 }
  #state.on::before { content: "● "; color: #292 }
  #state.off::before { content: "● "; color: #c22 }
  form { display: flex; gap: .5em; margin: .5em 0 }
  input { flex: 1; font: inherit; min-width: 0 }
</style>
<h1>Chat</h1>
<form id="enter"><input id="name" placeholder="name"><input id="room" placeholder="room" value="hall"><button>Enter</button></form>
<p id="state" class="off">outside</p>
<p>Here: <span id="names"></span></p>
<ul id="lines"></ul>
<form id="say"><input id="text" placeholder="say something" autocomplete="off"><button>Say</button></form>
<script>
  const byId = (id) => document.getElementById(id);
  let socket, names = new Set(), waitMs = 250;
  const send = (message) => socket.send(JSON.stringify(message));
  const note = (text) => line(text, "note");
  byId("enter").onsubmit = (event) => {
    event.preventDefault();
    if (socket?.readyState === WebSocket.OPEN && names.size > 0) send({ type: "move", room: byId("room").value });
    else if (socket?.readyState === WebSocket.OPEN) enter();
    else connect();
  };
  byId("say").onsubmit = (event) => {
    event.preventDefault();
    send({ type: "say", text: byId("text").value });
    byId("text").value = "";
  };
  function connect() {
    socket = new WebSocket("chat");
    socket.onopen = enter;
    socket.onclose = ({ code }) => {
      const was = names.size > 0;
      if (was || waitMs === 250) show("off", "cut off (" + code + ")");
      names = new Set();
      if (was || waitMs > 250) setTimeout(connect, waitMs = Math.min(waitMs * 2, 8000));
    };
    socket.onmessage = ({ data }) => told(JSON.parse(data));
  }
  function enter() {
    send({ type: "enter", name: byId("name").value, room: byId("room").value });
  }
  function told(message) {
    switch (message.type) {
      case "entered":
        names = new Set(message.names);
        waitMs = 250;
        show("on", "in " + message.room);
        break;
      case "came":
        names.add(message.name);
        note(message.name + " has come");
        break;
      case "left":
        names.delete(message.name);
        note(message.name + " has gone");
        break;
      case "said":
        line(message.name + ": " + message.text, "said");
        break;
      case "refused":
        note("refused: " + message.why);
    }
    byId("names").textContent = [...names].join(", ");
  }
  function line(text, kind) {
    const item = document.createElement("li");
    item.textContent = text;
    item.className = kind;
    byId("lines").append(item);
    item.scrollIntoView();
  }
  function show(state, text) {
    byId("state").className = state;
    byId("state").textContent = text;
  }
</script>
</html>
`;
