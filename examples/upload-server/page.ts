/** The page: a form that is sent by script, and a bar that shows what the server says it has stored. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Upload</title>
<style>
  body { font: 16px system-ui; margin: 3em; color: #223; max-width: 40em }
  progress { width: 100%; height: 1.5em }
  #state { font-variant-numeric: tabular-nums }
</style>
<h1>Upload</h1>
<form>
  <input type="file" name="file" multiple required>
  <button>Upload</button>
  <button type="button" id="cancel" disabled>Cancel</button>
</form>
<p><progress max="1" value="0"></progress></p>
<p id="state">nothing yet</p>
<ul></ul>
<script>
  const byTag = (name) => document.querySelector(name);
  const say = (text) => (document.getElementById("state").textContent = text);
  const cancel = document.getElementById("cancel");
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1) + " MB";
  byTag("form").onsubmit = async (event) => {
    event.preventDefault();
    const id = Date.now().toString(36) + "-" + Math.random().toString(36).slice(2);
    const body = new FormData(event.target);
    const controller = new AbortController();
    const source = new EventSource("uploads/" + id + "/progress");
    source.addEventListener("progress", ({ data }) => {
      const progress = JSON.parse(data);
      show(progress);
      if (progress.state === "done" || progress.state === "failed") source.close();
    });
    cancel.onclick = () => controller.abort();
    cancel.disabled = false;
    try {
      const response = await fetch("uploads/" + id, { method: "POST", body, signal: controller.signal });
      if (!response.ok) say(await response.text());
    } catch (error) {
      say(error.name === "AbortError" ? "cancelled" : String(error));
      source.close();
    } finally {
      cancel.disabled = true;
    }
  };
  function show({ state, receivedBytes, totalBytes, files }) {
    byTag("progress").value = state === "done" ? 1 : receivedBytes / (totalBytes || 1);
    say(state + ", " + megabytes(receivedBytes) + (totalBytes ? " of " + megabytes(totalBytes) : ""));
    const items = files.map(({ name, bytes }) => {
      const item = document.createElement("li");
      item.textContent = name + ", " + bytes + " bytes";
      return item;
    });
    byTag("ul").replaceChildren(...items);
  }
</script>
</html>
`;
