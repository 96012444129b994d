// A picture on a time axis, in the hand: play, pause, step, scrub, zoom, a hair line, lanes to choose, saving.
// Whoever uses it says what there is to see, in `how`:
//   name, title, hint      for the class, the label and whoever hears the picture read aloud
//   read()                 the state: title, sentence, now, end, running, recorded
//   plan(state)            lay everything out if that must change: sets s.left, s.right, s.height, s.order
//                          ({id, y, row} from top to bottom) and returns true, or "grown" where what was
//                          there stays as it is; else false
//   draw(state, all)       draw what is new, or all of it
//   moments(state)         the moments to step to, in order
//   inform(state, entry, t, px, py)  what a pointer or a key is told of a lane: {head, rows, words, aloud}, null
//   at?(state, t)          told when another moment is shown: t, or null for the end
//   left?()                told when the pointer has left
//   live?                  whether one may step back while it runs
//   exact?(t), finest?     a time in words; the narrowest zoom in seconds
//   speeds?                how many of the tempi are offered

const SPEEDS = [1, 0.25, 0.1, 0.02, 0.005, 0.001, 0.0002];
const SPEED_WORDS = ["1×", "¼×", "⅒×", "1/50×", "1/200×", "1/1000×", "1/5000×"];

function timeStage(host, language, how) {
  const L = language.layout, say = how.exact || exact, speeds = SPEEDS.slice(0, how.speeds);
  const s = { left: 0, right: 0, width: 0, height: 0, order: [], view: { from: 0, to: 1 }, head: null, zoomed: false };
  const view = s.view;
  s.x = (t) => s.left + ((t - view.from) / (view.to - view.from)) * (s.right - s.left);
  s.timeAt = (px) => view.from + ((px - s.left) / (s.right - s.left)) * (view.to - view.from);

  const root = html("section", { class: `evo evo-${how.name}`, "data-view": how.name, "aria-label": how.title });
  const title = html("h4", { class: "evo-title" }), chip = html("span", { class: "evo-chip", hidden: true });
  const sentence = html("p", { class: "evo-sentence", "aria-live": "polite", role: "status" });
  const spoken = html("p", { class: "evo-spoken", "aria-live": "polite" });
  const stage = html("div", { class: "evo-stage", tabindex: 0, role: "application", "aria-roledescription": how.name,
    "data-lm-suppress-shortcuts": "true", "aria-label": `${how.title}. ${how.hint}` });
  const drawing = svg("svg", { class: "evo-drawing", "aria-hidden": "true" });
  const plotClip = unique("plot"), headClip = unique("head"), hatch = unique("hatch");
  const plotRect = svg("rect"), headRect = svg("rect");
  const grid = svg("g"), axis = svg("g"), names = svg("g"), marks = svg("g", { "clip-path": `url(#${headClip})` });
  const over = svg("g"), hair = svg("line", { class: "evo-hair", "data-live": "", display: "none" });
  const hairTime = svg("g", { "data-live": "", display: "none" }), headLine = svg("line", { class: "evo-head", "data-live": "", display: "none" });
  const chosen = svg("rect", { class: "evo-chosen", "data-live": "", display: "none", rx: 3 });
  const dragged = svg("rect", { class: "evo-dragged", "data-live": "", display: "none" });
  drawing.append(svg("defs", {}, svg("clipPath", { id: plotClip }, plotRect), svg("clipPath", { id: headClip }, headRect), hatching(hatch)),
    chosen, grid, names, svg("g", { "clip-path": `url(#${plotClip})` }, marks, over), axis, hair, headLine, dragged, hairTime);
  stage.append(drawing);
  const tip = tooltip(stage), key = legend(root, language);
  Object.assign(s, { root, names, marks, over, hatch, key });

  const play = button(ICONS.play(), "Play", () => toggle());
  const back = button(ICONS.back(), "Step back", () => step(-1)), on = button(ICONS.on(), "Step forward", () => step(1));
  const scrub = html("input", { type: "range", class: "evo-scrub", min: 0, max: 1000, step: 1, value: 1000, "aria-label": "Moment shown",
    "data-lm-suppress-shortcuts": "true", oninput: () => { pause(); moveHead(view.from + (scrub.value / 1000) * (view.to - view.from)); } });
  const tempo = html("button", { type: "button", class: "evo-button evo-tempo", title: "Tempo of playing", onclick: () => {
    speed = speeds[(speeds.indexOf(speed) + 1) % speeds.length];
    chosenSpeed = true;
    showTempo();
  } });
  const picture = () => standalone(root, drawing, how.read().title, how.read().sentence);
  const tools = html("div", { class: "evo-tools" }, tempo,
    button(ICONS.wider(), "Zoom out", () => zoom(2)), button(ICONS.closer(), "Zoom in", () => zoom(0.5)), button(ICONS.all(), "All of it", () => zoomAll()),
    button("SVG", "SVG: save the picture", () => saveSvg(picture(), slug(how.read().title))),
    button("PNG", "PNG: save the picture", () => savePng(picture(), slug(how.read().title))));
  root.append(html("header", { class: "evo-header" }, title, chip, tools),
    html("div", { class: "evo-player" }, html("div", { class: "evo-transport" }, play, back, on), scrub), stage, key.node, sentence, spoken);
  host.append(root);

  let speed = 1, chosenSpeed = false, frame = 0, playing = false, lastTick = 0, laneChosen = -1, redraw = true, again = false, listed = -Infinity, clipped = "";

  function drawAxis() {
    grid.replaceChildren();
    axis.replaceChildren();
    for (const [t, text] of ticks(view.from, view.to, (s.right - s.left) / 84)) {
      const px = Math.round(s.x(t)) + 0.5;
      grid.append(svg("line", { x1: px, x2: px, y1: L.axis - 4, y2: (s.floor ?? s.height) - 4, stroke: paint("rule") }));
      const anchor = px > s.right - 16 ? "end" : px < s.left + 4 ? "start" : "middle";
      axis.append(label(anchor === "end" ? Math.min(px + 14, s.width - 2) : px, 11, text, { "text-anchor": anchor, fill: paint("soft"), class: "evo-number" }));
    }
  }
  function draw() {
    frame = 0;
    const state = how.read(), before = `${view.from} ${view.to}`;
    if (!s.width) return;
    if (!s.zoomed) Object.assign(view, { from: 0, to: reach(state) });
    const moved = how.plan(state), everything = moved === true || redraw || before !== `${view.from} ${view.to}`;
    redraw = false;
    if (moved) {
      set(drawing, { width: s.width, height: s.height, viewBox: `0 0 ${s.width} ${s.height}` });
      set(plotRect, { x: s.left - 3, y: 0, width: s.right - s.left + L.right + 1, height: s.height });
      for (const mark of [hair, headLine]) set(mark, { y1: L.axis - 6, y2: (s.floor ?? s.height) - 4 });
      root.style.setProperty("--evo-left", `${s.left}px`);
      root.style.setProperty("--evo-right", `${L.right}px`);
    }
    if (everything || moved) drawAxis();
    how.draw(state, everything);
    showHead(state);
    root.toggleAttribute("data-recorded", Boolean(state.recorded));
    set(root, { "data-running": Boolean(state.running), "data-now": state.now, "data-lanes": state.lanes.length });
    title.textContent = state.title || how.title;
    chip.textContent = state.recorded ? "recorded" : state.running ? `running · ${time(state.now)}` : "";
    chip.hidden = !chip.textContent;
    if (!state.running || performance.now() - listed > 250) {
      listed = performance.now();
      key.show(new Set([...drawing.querySelectorAll(".evo-mark")].map((node) => node.dataset.key)));
    }
    key.light();
    set(sentence, { "aria-live": state.running ? "off" : "polite" }); // read aloud when the run is over
    if (sentence.textContent !== (state.sentence || "")) sentence.textContent = state.sentence || "";
    for (const control of [play, back, on, scrub]) control.disabled = Boolean(state.running) && !how.live; // a run has no end to go back from
    if (!chosenSpeed) { speed = speeds.find((each) => (view.to - view.from) / each >= 2) || speeds[speeds.length - 1]; showTempo(); }
    if (again) { again = false; choose(laneChosen); }
  }
  function ask(everything) {
    redraw = redraw || Boolean(everything);
    if (!frame) frame = requestAnimationFrame(draw);
  }
  s.ask = ask;

  // --- playing a finished run ---
  const showTempo = () => { tempo.textContent = SPEED_WORDS[SPEEDS.indexOf(speed)]; set(tempo, { "aria-label": `Tempo ${tempo.textContent}` }); };
  function showHead(state) {
    const { head } = s, t = head === null ? view.to : head, px = clamp(s.x(t), s.left - 3, s.width);
    const clip = { x: 0, y: 0, width: head === null ? s.width : px, height: s.height }, names = Object.values(clip).join();
    if (names !== clipped) { clipped = names; set(headRect, clip); } // a new clip paints everything anew
    set(headLine, { x1: px, x2: px, display: head === null ? "none" : null });
    set(root, { "data-head": head === null ? null : head.toFixed(6), "data-playing": playing });
    scrub.value = Math.round(clamp((t - view.from) / (view.to - view.from), 0, 1) * 1000);
    set(scrub, { "aria-valuetext": say(head === null ? state.now || 0 : head) });
    how.at?.(state, head);
  }
  function moveHead(t) {
    const state = how.read();
    s.head = t >= lastMoment(state) ? null : Math.max(0, t);
    if (s.zoomed && s.head !== null && (s.head < view.from || s.head > view.to)) follow(s.head);
    showHead(state);
  }
  function follow(t) { // a step out of the window takes the window along
    const span = view.to - view.from, whole = reach(how.read());
    const from = clamp(t - span / 2, 0, Math.max(0, whole - span));
    zoomTo(from, from + span);
  }
  function pause() {
    playing = false;
    play.replaceChildren(ICONS.play());
    set(play, { "aria-label": "Play", title: "Play" });
    set(root, { "data-playing": false });
  }
  function toggle() {
    if (playing) return pause();
    playing = true;
    play.replaceChildren(ICONS.pause());
    set(play, { "aria-label": "Pause", title: "Pause" });
    if (s.head === null) moveHead(view.from);
    lastTick = performance.now();
    requestAnimationFrame(tick);
  }
  function tick(now) {
    if (!playing) return;
    if (!calm()) moveHead(s.head + ((now - lastTick) / 1000) * speed);
    else if (now - lastTick > 700) moveHead(nextMoment(1, 0.02));
    else return requestAnimationFrame(tick);
    lastTick = now;
    if (s.head === null) return pause();
    requestAnimationFrame(tick);
  }
  function nextMoment(way, apart = 0) {
    const state = how.read(), last = lastMoment(state), here = s.head === null ? last : s.head;
    const least = Math.max(apart * (view.to - view.from), 1e-6), all = how.moments(state);
    return way > 0 ? all.find((t) => t > here + least) ?? last : all.reverse().find((t) => t < here - least) ?? 0;
  }
  function step(way) {
    pause();
    moveHead(nextMoment(way));
    if (laneChosen >= 0) choose(laneChosen);
  }

  // --- zoom ---
  function zoomTo(from, to) {
    const whole = reach(how.read());
    if (to - from < (how.finest ?? whole / 5000)) return;
    Object.assign(view, { from: Math.max(0, from), to: Math.min(whole, to) });
    s.zoomed = view.from > 0 || view.to < whole;
    leave(); // what was under the pointer is somewhere else now
    again = laneChosen >= 0;
    ask(true);
    root.toggleAttribute("data-zoomed", s.zoomed);
  }
  function zoom(factor) {
    const { head } = s, inside = head !== null && head > view.from && head < view.to;
    const centre = inside ? head : (view.from + view.to) / 2, half = ((view.to - view.from) * factor) / 2;
    zoomTo(centre - half, centre + half);
  }
  const zoomAll = () => zoomTo(0, reach(how.read()));
  Object.assign(s, { zoomTo, showAll: () => { pause(); moveHead(Infinity); } });

  // --- pointer and keys ---
  function inform(entry, t, px, py, aloud) {
    const told = how.inform(how.read(), entry, t, px, py);
    if (told?.head) tip.show(px, py, told.head, told.rows, told.words);
    else tip.hide();
    if (aloud) spoken.textContent = told ? told.aloud : say(t);
  }
  function showHair(t) {
    const px = s.x(t), text = say(t), half = 3.6 * text.length + 5, centre = clamp(px, half, s.width - half);
    set(hair, { x1: px, x2: px, display: null });
    hairTime.replaceChildren(svg("rect", { x: centre - half, y: 2, width: 2 * half, height: 18, rx: 4, fill: paint("ink") }),
      label(centre, 11.5, text, { "text-anchor": "middle", fill: paint("page"), class: "evo-number" }));
    set(hairTime, { display: null });
    for (const each of axis.children) set(each, { display: Math.abs(each.getAttribute("x") - centre) < half + 18 ? "none" : null });
    set(root, { "data-hair": t.toFixed(6) });
    how.at?.(how.read(), t);
  }
  function leave() {
    tip.hide();
    for (const node of [hair, hairTime]) set(node, { display: "none" });
    for (const each of axis.children) set(each, { display: null });
    how.left?.();
    if (s.width) how.at?.(how.read(), s.head);
  }
  const point = (event) => { const box = drawing.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  let drag = null;
  stage.addEventListener("pointermove", (event) => {
    const [px, py] = point(event);
    if (drag !== null) set(dragged, { display: Math.abs(px - drag) > 3 ? null : "none", x: Math.min(drag, px), width: Math.abs(px - drag), y: L.axis - 4, height: (s.floor ?? s.height) - L.axis });
    if (px < s.left - 4 || py > (s.floor ?? s.height)) return leave();
    const t = clamp(s.timeAt(px), view.from, view.to);
    showHair(t);
    inform(s.order.find((lane) => py >= lane.y && py < lane.y + lane.row), t, px, py, false);
  });
  stage.addEventListener("pointerleave", leave);
  drawing.addEventListener("pointerdown", (event) => {
    const [px] = point(event);
    if (event.button || px < s.left - 4) return;
    drag = clamp(px, s.left, s.right);
    drawing.setPointerCapture(event.pointerId);
  });
  drawing.addEventListener("pointerup", (event) => {
    const [px] = point(event), from = drag;
    drag = null;
    set(dragged, { display: "none" });
    if (from !== null && Math.abs(px - from) > 6) zoomTo(s.timeAt(Math.min(from, px)), s.timeAt(Math.min(s.right, Math.max(from, px))));
  });
  drawing.addEventListener("pointercancel", () => { drag = null; set(dragged, { display: "none" }); });
  drawing.addEventListener("dblclick", zoomAll);
  function choose(index) {
    if (!s.order.length) return;
    laneChosen = clamp(index, 0, s.order.length - 1);
    const entry = s.order[laneChosen], t = s.head === null ? how.read().now : s.head;
    set(chosen, { x: 1, y: entry.y, width: s.width - 2, height: entry.row, display: null });
    showHair(clamp(t, view.from, view.to));
    inform(entry, Math.max(0, s.head === null ? t - 1e-7 : t), clamp(s.x(t), s.left, s.right), entry.y, true);
  }
  const KEYS = {
    " ": toggle, ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => { pause(); moveHead(0); }, End: () => { pause(); moveHead(Infinity); },
    ArrowUp: () => choose(laneChosen < 0 ? s.order.length - 1 : laneChosen - 1), ArrowDown: () => choose(laneChosen + 1),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: zoomAll,
    Escape: () => { laneChosen = -1; set(chosen, { display: "none" }); leave(); },
  };
  stage.addEventListener("keydown", (event) => {
    const action = !event.ctrlKey && !event.metaKey && !event.altKey && (KEYS[event.key] || how.keys?.[event.key]);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  stage.addEventListener("blur", () => KEYS.Escape());

  const watch = new ResizeObserver(() => {
    const room = Math.floor(root.clientWidth);
    if (room && room !== s.width) { s.width = room; ask(true); }
  });
  watch.observe(root);
  s.another = () => { s.head = null; s.zoomed = false; root.toggleAttribute("data-zoomed", false); pause(); };
  s.close = () => { watch.disconnect(); cancelAnimationFrame(frame); playing = false; };
  return s;
}
// A name cut to its room; the whole of it is the title.
function fitted(px, py, text, room) {
  const most = Math.floor(room / 6.2), cut = text.length > most ? text.slice(0, Math.max(1, most - 1)) + "…" : text;
  return svg("g", {}, label(px, py, cut, { class: "evo-name" }), svg("title", {}, text));
}
