/** The page: a list and a line that grow while events come. What it shows is text, never markup. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Ticker</title>
<style>
  body { font: 16px system-ui; margin: 3em; color: #223 }
  #price { font-size: 3em; font-variant-numeric: tabular-nums }
  #state.on::before { content: "● "; color: #292 }
  #state.off::before { content: "● "; color: #c22 }
  svg { width: 100%; height: 8em; background: #f4f4f8 }
  polyline { fill: none; stroke: #36c; stroke-width: 1.5; vector-effect: non-scaling-stroke }
</style>
<h1>Ticker</h1>
<p id="state" class="off">connecting</p>
<p id="price">–</p>
<svg viewBox="0 85 119 30" preserveAspectRatio="none"><polyline /></svg>
<p><span id="count">0</span> ticks, the last is number <span id="last">–</span></p>
<script>
  const byId = (id) => document.getElementById(id);
  const prices = [];
  let count = 0;
  const source = new EventSource("events");
  source.onopen = () => show("on", "live");
  source.onerror = () => show("off", "connecting again");
  source.addEventListener("tick", ({ data, lastEventId }) => {
    const { price } = JSON.parse(data);
    prices.push(price);
    if (prices.length > 120) prices.shift();
    byId("price").textContent = price.toFixed(2);
    byId("count").textContent = ++count;
    byId("last").textContent = lastEventId;
    const points = prices.map((one, at) => at + "," + (200 - one)).join(" ");
    document.querySelector("polyline").setAttribute("points", points);
  });
  function show(state, text) {
    byId("state").className = state;
    byId("state").textContent = text;
  }
</script>
</html>
`;
