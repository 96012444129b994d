// A figure: marks that Python has laid out for some widths (views/figure.py); here they are drawn, pointed at,
// walked through by keyboard, lit up by the legend, and saved.

function figureView(host, model, { name, extras = () => [], chosen = () => {}, help = "" }) {
  const root = html("section", { class: `evo evo-figure evo-${name.split(" ")[0]}`, "data-view": name.split(" ")[0], "aria-label": name });
  const title = html("h4", { class: "evo-title" }), chip = html("span", { class: "evo-chip", hidden: true });
  const sentence = html("p", { class: "evo-sentence", "aria-live": "polite", role: "status" });
  const spoken = html("p", { class: "evo-spoken", "aria-live": "polite" });
  const stage = html("div", { class: "evo-stage", tabindex: 0, role: "application", "aria-roledescription": "figure",
    "data-lm-suppress-shortcuts": "true", "aria-label": `${name}. Arrow keys: from mark to mark; each is read aloud. ${help}Escape: leave it.` });
  const drawing = svg("svg", { class: "evo-drawing", "aria-hidden": "true" });
  const ring = svg("rect", { class: "evo-ring", "data-live": "", display: "none", rx: 4 });
  stage.append(drawing);
  const tip = tooltip(stage);
  const language = model.get("language");
  const picture = () => standalone(root, drawing, model.get("state").title, model.get("state").sentence);
  const tools = html("div", { class: "evo-tools" }, ...extras(root),
    button("SVG", "SVG: save the picture", () => saveSvg(picture(), slug(model.get("state").title))),
    button("PNG", "PNG: save the picture", () => savePng(picture(), slug(model.get("state").title))));
  root.append(html("header", { class: "evo-header" }, title, chip, tools), stage, sentence, spoken);
  host.append(root);
  let shown = new Map(), items = [], at = -1, pinned = null, frame = 0, figure = null;

  function element(mark) {
    if (mark.kind === "text") return svg("text", { "dominant-baseline": "central" });
    if (mark.kind === "glyph") return mark.glyph === "ghost" ? svg("g", {}, ghost(0)) : svg("g", {}, drawGlyph({ colour: mark.paint.fill }, language.glyphs[mark.glyph]));
    return svg(mark.kind);
  }
  function dress(node, mark) {
    if (mark.kind === "glyph") set(node, { transform: `translate(${mark.at[0]},${mark.at[1]})` });
    else set(node, { ...mark.set, fill: mark.paint.fill ? paint(mark.paint.fill) : "none", stroke: mark.paint.stroke ? paint(mark.paint.stroke) : null });
    if (mark.kind === "text") {
      if (node.textContent !== mark.text) node.textContent = mark.text;
      const looks = mark.look.split(" ").filter(Boolean).map((look) => `evo-${look}`);
      set(node, { class: [...looks, mark.halo ? "evo-note" : ""].join(" ").trim() || null });
    }
    node.classList.toggle("evo-mark", Boolean(mark.key));
    node.classList.toggle("evo-item", Boolean(mark.item));
    set(node, { "data-key": mark.key || null, "data-lights": mark.lights || null, "data-item": mark.item || null, "data-name": mark.name || null });
    for (const [key, value] of Object.entries(mark.data || {})) set(node, { [`data-${key}`]: String(value) });
    node.mark = mark;
  }
  const sort = (mark) => `${mark.kind}|${mark.glyph || ""}|${mark.paint.fill && mark.kind === "glyph" ? mark.paint.fill : ""}|${mark.name}`;

  function draw() {
    frame = 0;
    const state = model.get("state"), all = model.get("figures") || {};
    const room = host.clientWidth || 720, widths = Object.keys(all).map(Number).sort((a, b) => a - b);
    if (!widths.length) return;
    figure = all[widths.filter((width) => width <= room).pop() || widths[0]];
    title.textContent = state.title || "";
    set(chip, { hidden: !state.recorded && !state.running });
    chip.textContent = state.running ? "running" : "recorded";
    root.toggleAttribute("data-recorded", Boolean(state.recorded));
    root.toggleAttribute("data-running", Boolean(state.running));
    set(drawing, { width: figure.width, height: figure.height, viewBox: `0 0 ${figure.width} ${figure.height}` });
    set(root, { "data-width": figure.width });
    const next = new Map();
    const nodes = figure.marks.map((mark) => {
      const key = mark.name ? sort(mark) : null, node = (key && shown.get(key)) || element(mark);
      if (key) next.set(key, node);
      dress(node, mark);
      return node;
    });
    drawing.replaceChildren(...nodes, ring);
    shown = next;
    items = nodes.filter((node) => node.mark.item);
    const said = (state.recorded ? "Recorded: " : "") + (state.sentence || "");
    if (sentence.textContent !== said) sentence.textContent = said;
    if (at >= items.length) at = -1;
    mark();
    light(pinned);
  }
  const changed = () => { if (!frame) frame = requestAnimationFrame(draw); };
  const light = (key) => {
    root.toggleAttribute("data-lit", Boolean(key));
    for (const node of drawing.querySelectorAll(".evo-mark")) node.classList.toggle("evo-lit", node.dataset.key === key);
  };
  function tell(node, x, y) {
    const said = node.mark.tip;
    if (said) tip.show(x, y, said.head, said.rows || [], said.words);
    else tip.hide();
  }
  function mark() { // the ring around what the keyboard has chosen
    const node = items[at];
    if (!node) { set(ring, { display: "none" }); return; }
    const box = node.getBBox(), move = node.mark.kind === "glyph" ? node.mark.at : [0, 0];
    set(ring, { display: null, x: box.x + move[0] - 4, y: box.y + move[1] - 4, width: box.width + 8, height: box.height + 8 });
  }
  function choose(index) {
    if (!items.length) return;
    at = clamp(index, 0, items.length - 1);
    mark();
    const node = items[at], said = node.mark.tip || { head: node.mark.text || "", rows: [] };
    spoken.textContent = [said.head, ...(said.rows || []), said.words].filter(Boolean).join(", ");
    const x = Number(ring.getAttribute("x")), y = Number(ring.getAttribute("y"));
    tell(node, x + Number(ring.getAttribute("width")) / 2, y + Number(ring.getAttribute("height")) / 2);
    light(node.mark.lights || null);
  }
  // The nearest item in a direction; along the other axis distance counts double.
  function towards(dx, dy) {
    if (at < 0) return choose(dx + dy > 0 ? 0 : items.length - 1);
    const place = (node) => { const b = node.getBBox(), m = node.mark.kind === "glyph" ? node.mark.at : [0, 0]; return [b.x + m[0] + b.width / 2, b.y + m[1] + b.height / 2]; };
    const [x, y] = place(items[at]);
    let best = -1, least = Infinity;
    items.forEach((node, index) => {
      const [px, py] = place(node), along = (px - x) * dx + (py - y) * dy, across = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      if (index !== at && along > 1 && along + 2 * across < least) { least = along + 2 * across; best = index; }
    });
    if (best >= 0) choose(best);
  }
  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES[event.key]) towards(...MOVES[event.key]);
    else if (event.key === "Home") choose(0);
    else if (event.key === "End") choose(items.length - 1);
    else if ((event.key === "Enter" || event.key === " ") && items[at]) pick(items[at].mark);
    else if (event.key === "Escape") { at = -1; pinned = null; mark(); tip.hide(); light(null); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  function pick(mark) {
    if (mark.lights) { pinned = pinned === mark.lights ? null : mark.lights; light(pinned); }
    chosen(mark);
  }
  const target = (event) => event.target.closest?.(".evo-item, .evo-mark");
  stage.addEventListener("pointermove", (event) => {
    const node = target(event), box = stage.getBoundingClientRect();
    if (!node || !drawing.contains(node) || !node.mark.tip) { tip.hide(); if (!node) light(pinned); return; }
    tell(node, event.clientX - box.left, event.clientY - box.top);
    light(node.mark.lights || pinned);
  });
  stage.addEventListener("pointerleave", () => { tip.hide(); light(pinned); });
  stage.addEventListener("blur", () => { if (at >= 0) { at = -1; mark(); tip.hide(); } });
  stage.addEventListener("click", (event) => { const node = target(event); if (node && node.mark.item) pick(node.mark); });
  const watch = new ResizeObserver(changed);
  watch.observe(host);
  model.on("change:state", changed);
  model.on("change:figures", changed);
  draw();
  return { root, close() { watch.disconnect(); cancelAnimationFrame(frame); model.off("change:state", changed); model.off("change:figures", changed); } };
}
