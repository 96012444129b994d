// The timeline: clients in connecting order, the accept queue, the server's processes, on one time axis.

export default () => {
  let live = emptyTimeline(); // shared by all views of one model: the snapshot and every increment since
  const watchers = new Set();
  let asked = false;
  const adopt = (state) => {
    asked = false;
    const before = live, next = { ...emptyTimeline(), ...structuredClone(state || {}) };
    const another = next.title !== before.title || next.now < before.now || (next.running && !before.running);
    if (!another && next.running && next.now === before.now && next.lanes.length === before.lanes.length) return; // nothing that was not pushed
    live = next;
    for (const watcher of watchers) watcher(another ? "another" : "whole");
  };
  return {
    initialize({ model }) {
      adopt(model.get("state"));
      model.on("change:state", () => adopt(model.get("state")));
      model.on("msg:custom", (update) => {
        if (update.kind === "snapshot") return adopt(update.state);
        if (update.kind !== "timeline") return;
        if (mergeTimeline(live, update)) for (const watcher of watchers) watcher("");
        else if (!asked) try { asked = true; model.send({ kind: "snapshot please" }); } catch { /* no kernel: the snapshot is all there is */ }
      });
    },
    render({ model, el }) {
      const view = timelineView(el, model.get("language"), () => live);
      watchers.add(view.changed);
      return () => { watchers.delete(view.changed); view.close(); };
    },
  };
};

function timelineView(host, language, read) {
  const L = language.layout;
  const root = html("section", { class: "evo evo-timeline", "data-view": "timeline", "aria-label": "Timeline" });
  const title = html("h4", { class: "evo-title" }), chip = html("span", { class: "evo-chip", hidden: true });
  const sentence = html("p", { class: "evo-sentence", "aria-live": "polite", role: "status" });
  const spoken = html("p", { class: "evo-spoken", "aria-live": "polite" });
  const stage = html("div", { class: "evo-stage", tabindex: 0, role: "application", "aria-roledescription": "timeline",
    "data-lm-suppress-shortcuts": "true",
    "aria-label": "Timeline. Left and right: to the moment before and after. Up and down: choose a lane. Space: play. Plus, minus, 0: zoom." });
  const drawing = svg("svg", { class: "evo-drawing", "aria-hidden": "true" });
  const plotClip = unique("plot"), headClip = unique("head"), hatch = unique("hatch");
  const plotRect = svg("rect"), headRect = svg("rect");
  const grid = svg("g"), axis = svg("g"), names = svg("g"), marks = svg("g", { "clip-path": `url(#${headClip})` });
  const clientNames = svg("g"), clientMarks = svg("g"), otherNames = svg("g"), otherMarks = svg("g");
  names.append(clientNames, otherNames);
  marks.append(otherMarks, clientMarks);
  const guesses = svg("g"), hair = svg("line", { class: "evo-hair", "data-live": "", display: "none" });
  const hairTime = svg("g", { "data-live": "", display: "none" }), headLine = svg("line", { class: "evo-head", "data-live": "", display: "none" });
  const chosen = svg("rect", { class: "evo-chosen", "data-live": "", display: "none", rx: 3 });
  const dragged = svg("rect", { class: "evo-dragged", "data-live": "", display: "none" });
  drawing.append(svg("defs", {}, svg("clipPath", { id: plotClip }, plotRect), svg("clipPath", { id: headClip }, headRect), hatching(hatch)),
    chosen, grid, names, svg("g", { "clip-path": `url(#${plotClip})` }, marks, guesses), axis, hair, headLine, dragged, hairTime);
  stage.append(drawing);
  const tip = tooltip(stage), key = legend(root, language);

  const play = button(ICONS.play(), "Play", () => toggle());
  const back = button(ICONS.back(), "Step back", () => step(-1)), on = button(ICONS.on(), "Step forward", () => step(1));
  const scrub = html("input", { type: "range", class: "evo-scrub", min: 0, max: 1000, step: 1, value: 1000, "aria-label": "Moment shown",
    "data-lm-suppress-shortcuts": "true", oninput: () => { pause(); moveHead(view.from + (scrub.value / 1000) * (view.to - view.from)); } });
  const tempo = html("button", { type: "button", class: "evo-button evo-tempo", title: "Tempo of playing", onclick: () => {
    speed = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length];
    chosenSpeed = true;
    showTempo();
  } });
  const tools = html("div", { class: "evo-tools" }, tempo,
    button(ICONS.wider(), "Zoom out", () => zoom(2)), button(ICONS.closer(), "Zoom in", () => zoom(0.5)), button(ICONS.all(), "All of it", () => zoomAll()),
    button("SVG", "SVG: save the picture", () => saveSvg(picture(), slug(read().title))),
    button("PNG", "PNG: save the picture", () => savePng(picture(), slug(read().title))));
  root.append(html("header", { class: "evo-header" }, title, chip, tools),
    html("div", { class: "evo-player" }, html("div", { class: "evo-transport" }, play, back, on), scrub), stage, key.node, sentence, spoken);
  host.append(root);
  const picture = () => standalone(root, drawing, read().title, read().sentence);

  const SPEEDS = [1, 0.25, 0.1, 0.02];
  let speed = 1, chosenSpeed = false, width = 0, height = 0, left = 0, right = 0, plan = "", frame = 0;
  let head = null, playing = false, lastTick = 0, zoomed = false, laneChosen = -1, fresh = true;
  const view = { from: 0, to: 1 };
  let keptBefore = "", listed = 0, laidOut = 0, clipped = {}; // what the clients' lanes were laid out for; when the legend and the lanes were last made
  let lanes = new Map(), order = [], queueRow = null, bandRow = null;
  const x = (t) => left + ((t - view.from) / (view.to - view.from)) * (right - left);
  const at = (px) => view.from + ((px - left) / (right - left)) * (view.to - view.from);

  // --- where everything goes; only when lanes come, or the width changes. Clients that are there already stay as they are ---
  function layout(state) {
    const many = Boolean(state.bands) || state.lanes.length > L.many;
    const shown = many ? interesting(state, L.interesting) : state.lanes;
    const wanted = [width, many, shown.map((lane) => lane.id + lane.label).join(), state.processes.map((lane) => lane.id + lane.label).join(), fresh].join("|");
    if (wanted === plan) return false;
    if (state.running && !fresh && order.length > 100 && performance.now() - laidOut < 120) { // many come at once: in batches
      setTimeout(() => ask(false), 130);
      return false;
    }
    laidOut = performance.now();
    plan = wanted;
    const again = fresh;
    fresh = false;
    left = Math.round(clamp(width * L.gutter_share, ...L.gutter));
    right = width - L.right;
    const dense = shown.length + state.processes.length >= L.dense;
    const row = dense ? L.dense_row : L.row, thick = dense ? L.dense_bar : L.bar;
    const kept = `${width} ${many} ${row}`, clients = order.filter((entry) => entry.kind === "client");
    const grown = kept === keptBefore && !again && clients.every((entry, i) => shown[i]?.id === entry.id && shown[i].label === entry.label);
    keptBefore = kept;
    otherNames.replaceChildren();
    otherMarks.replaceChildren();
    if (!grown) { clientNames.replaceChildren(); clientMarks.replaceChildren(); clients.length = 0; }
    order = [...clients];
    lanes = new Map(order.map((entry) => [entry.id, entry]));
    let y = L.axis;
    const heading = (text) => {
      otherNames.append(label(4, y, text, { class: "evo-heading", fill: paint("soft") }),
        svg("line", { x1: 0, x2: width, y1: y - 10, y2: y - 10, stroke: paint("rule"), "data-rule": "" }));
    };
    const lane = (source, kind, indent = 0) => {
      const group = svg("g", { transform: `translate(0,${y + row / 2})`, "data-lane": source.id, "data-kind": kind });
      (kind === "client" ? clientNames : otherNames).append(fitted(4 + indent, y + row / 2, source.label || source.id, left - 10 - indent));
      (kind === "client" ? clientMarks : otherMarks).append(group);
      const entry = { id: source.id, label: source.label, kind, group, y, row, thick, marks: [], end: null, fresh: true };
      lanes.set(source.id, entry);
      order.push(entry);
      y += row;
    };
    otherNames.append(label(4, 11, many ? grouped(total(state)) + (width < 480 ? "" : " clients") : "Clients", { class: "evo-heading", fill: paint("soft") }));
    bandRow = null;
    if (many) {
      bandRow = { y, group: svg("g", { "data-bands": "" }), scale: svg("g") };
      otherMarks.append(bandRow.group);
      otherNames.append(bandRow.scale);
      y += L.bands + 10;
      if (shown.length) otherNames.append(label(4, y + 6, "the first of each kind, the slowest, the failed", { class: "evo-heading", fill: paint("soft") }));
      y += shown.length ? 18 : 0;
    }
    y += clients.length * row;
    for (const source of shown.slice(clients.length)) lane(source, "client");
    y += L.gap;
    queueRow = { y: y + 2, group: svg("g", { "data-queue": "" }), length: label(4, y + 32, "", { fill: paint("soft"), class: "evo-number" }), limit: svg("g") };
    y += 10;
    heading("Accept queue");
    otherNames.append(queueRow.length, queueRow.limit);
    otherMarks.append(queueRow.group);
    y = queueRow.y + L.queue + L.gap + 8;
    heading("Server");
    y += 10;
    for (const source of state.processes) lane(source, "process", indent(source));
    height = y + 6;
    set(drawing, { width, height, viewBox: `0 0 ${width} ${height}` });
    set(plotRect, { x: left - 3, y: 0, width: right - left + L.right + 1, height });
    for (const mark of [hair, headLine]) set(mark, { y1: L.axis - 6, y2: height - 4 });
    root.style.setProperty("--evo-left", `${left}px`);
    root.style.setProperty("--evo-right", `${L.right}px`);
    return grown ? "grown" : "all";
  }
  function fitted(px, py, text, room) {
    const most = Math.floor(room / 6.2), cut = text.length > most ? text.slice(0, Math.max(1, most - 1)) + "…" : text;
    return svg("g", {}, label(px, py, cut, { class: "evo-name" }), svg("title", {}, text));
  }

  function drawAxis() {
    grid.replaceChildren();
    axis.replaceChildren();
    for (const [t, text] of ticks(view.from, view.to, (right - left) / 84)) {
      const px = Math.round(x(t)) + 0.5;
      grid.append(svg("line", { x1: px, x2: px, y1: L.axis - 4, y2: height - 4, stroke: paint("rule") }));
      const anchor = px > right - 16 ? "end" : px < left + 4 ? "start" : "middle";
      axis.append(label(anchor === "end" ? Math.min(px + 14, width - 2) : px, 11, text, { "text-anchor": anchor, fill: paint("soft"), class: "evo-number" }));
    }
  }

  // --- marks: only what is new or still open is touched, unless everything moved ---
  function keyOf(kind, span) {
    return kind === "client" ? `client.${span.state}` : span.state === "asleep" ? `sleeps.${sleepKind(span.note)}` : `process.${span.state}`;
  }
  const sleepKind = (note) => language.calls[(note || "").split("(")[0].trim()] || "other";
  function drawSpan(entry, span, before) {
    const look = (entry.kind === "client" ? language.client : language.process)[span.state];
    if (!look) return { span, node: svg("g"), place() {} };
    const text = span.state === "served" || span.state === "running" ? (span.pid ? String(span.pid) : "") : span.state === "asleep" ? span.note : "";
    const from = before && before.state === "sending" && span.state === "sending" ? before.share ?? 0 : 0;
    const mark = drawMark(look, entry.thick, { text, from, share: span.share ?? 1, sleep: language.sleeps[sleepKind(span.note)], hatch }, L);
    set(mark.node, { class: "evo-mark", "data-key": keyOf(entry.kind, span), "data-state": span.state, "data-from": span.from, "data-pid": span.pid ?? null });
    return { ...mark, span };
  }
  function place(mark, now) {
    const { span } = mark, from = x(span.from), to = x(span.to ?? Math.max(now, span.from));
    const visible = to >= left - 4 && from <= right + L.right;
    mark.open = span.to == null;
    set(mark.node, { display: visible ? null : "none", "data-to": span.to ?? null });
    const cut = span.state === "sending" ? (value) => value : (value) => clamp(value, left - 4, width + 4);
    if (visible) mark.place(cut(from), cut(to));
  }
  function drawEnd(entry, end) {
    const look = language.ends[end.state] || language.ends.closed;
    const node = svg("g", { class: "evo-mark", "data-key": `ends.${end.state}`, "data-end": end.state, "data-from": end.t }, drawGlyph(look, language.glyphs[look.shape]));
    if (look.colour === "fail" && end.note) node.append(label(10, 0.5, end.note, { fill: paint("fail"), class: "evo-note" }));
    return { end, node };
  }
  function placeEnd(mark) {
    const px = x(mark.end.t), note = mark.node.querySelector("text");
    set(mark.node, { transform: `translate(${px},0)`, display: px < left - 2 || px > width - 4 ? "none" : null });
    if (note) {
      const fits = px + 12 + 7 * note.textContent.length < width;
      set(note, { x: fits ? 10 : -10, "text-anchor": fits ? "start" : "end" });
    }
  }
  function drawLane(entry, source, everything, now) {
    let same = 0;
    while (same < entry.marks.length && entry.marks[same].span === source.spans[same]) same++;
    for (const mark of entry.marks.splice(same)) mark.node.remove();
    for (let i = same; i < source.spans.length; i++) {
      const mark = drawSpan(entry, source.spans[i], source.spans[i - 1]);
      entry.marks.push(mark);
      entry.group.append(mark.node);
      place(mark, now);
    }
    const last = same - 1; // a span that goes on grows with the time; the others stay where they are
    if (everything || entry.fresh) for (let i = 0; i < same; i++) place(entry.marks[i], now);
    else if (last >= 0 && (source.spans[last].to == null || entry.marks[last].open)) place(entry.marks[last], now);
    if (entry.end && entry.end.end !== source.end) { entry.end.node.remove(); entry.end = null; }
    const ends = source.end && !entry.end && language.ends[source.end.state];
    if (ends) entry.end = drawEnd(entry, source.end);
    if (entry.end && (ends || same < entry.marks.length)) entry.group.append(entry.end.node);
    if (entry.end && (ends || everything || entry.fresh)) placeEnd(entry.end);
    entry.fresh = false;
  }
  function drawQueue(state) {
    const { steps, limit } = state.queue, peak = Math.max(0, ...steps.map((s) => s[1]));
    const near = limit && peak * 3 >= limit, top = near ? Math.max(limit, peak) * 1.08 : Math.max(peak, 3);
    const base = queueRow.y + L.queue, h = (length) => base - (length / top) * (L.queue - 6);
    let path = "", px = 0;
    for (const [t, length] of steps) {
      path += path ? `H${(px = x(t)).toFixed(1)}V${h(length).toFixed(1)}` : `M${(px = x(t)).toFixed(1)} ${h(length).toFixed(1)}`;
    }
    if (path) path += `H${x(Math.max(state.now, steps[steps.length - 1][0])).toFixed(1)}`;
    const start = steps.length ? x(steps[0][0]).toFixed(1) : left, end = x(state.now || 0).toFixed(1);
    const units = top <= 12 ? Array.from({ length: Math.floor(top) }, (_, i) => i + 1) : [];
    queueRow.group.replaceChildren(
      ...units.map((n) => svg("line", { x1: left, x2: right, y1: h(n), y2: h(n), stroke: paint("rule"), "stroke-dasharray": "1 3" })),
      svg("path", { d: path ? `${path}V${base}H${start}Z` : "", fill: paint("queued"), opacity: 0.16 }),
      svg("path", { d: path, fill: "none", stroke: paint("queued"), "stroke-width": 1.6, class: "evo-mark", "data-key": "client.queued", "data-peak": peak, "data-limit": limit, "data-until": end }),
      svg("line", { x1: left, x2: right, y1: base, y2: base, stroke: paint("rule") }));
    queueRow.limit.replaceChildren();
    if (near) queueRow.limit.append(svg("line", { x1: left, x2: right, y1: h(limit), y2: h(limit), stroke: paint("fail"), "stroke-dasharray": "5 3" }),
      label(right, h(limit) + 8, `limit ${grouped(limit)}`, { "text-anchor": "end", fill: paint("fail"), class: "evo-number" }));
    queueRow.scale = { h, peak, top };
    showLength(state, null);
  }
  function showLength(state, t) {
    const limit = state.queue.limit ? ` of ${grouped(state.queue.limit)}` : "";
    const text = (t === null ? `peak ${grouped(queueRow.scale.peak)}` : grouped(lengthAt(state.queue, t))) + limit;
    queueRow.length.textContent = text.length * 6.2 > left - 8 ? text.replace(/ of .*/, "") : text;
  }
  function drawBands(state) {
    const columns = Math.max(1, Math.floor((right - left) / 2)), counts = bandCounts(state, Object.keys(language.bands), view.from, view.to, columns);
    const all = total(state), base = bandRow.y + L.bands, unit = L.bands / Math.max(1, all);
    const floor = new Float64Array(columns), until = clamp(Math.ceil(((state.now - view.from) / (view.to - view.from)) * columns), 0, columns);
    const nodes = [];
    for (const [name, look] of Object.entries(language.bands)) {
      let upper = "", lower = "", tallest = 0;
      const row = counts[name], under = floor.slice(0, until);
      for (let i = 0; i < until; i++) {
        const a = left + (i * (right - left)) / columns, b = left + ((i + 1) * (right - left)) / columns, low = base - floor[i] * unit;
        floor[i] += row[i];
        const high = base - floor[i] * unit;
        tallest = Math.max(tallest, row[i]);
        upper += `${upper ? "L" : "M"}${a.toFixed(1)} ${high.toFixed(1)}H${b.toFixed(1)}`;
        lower = `L${b.toFixed(1)} ${low.toFixed(1)}H${a.toFixed(1)}` + lower;
      }
      if (!tallest) continue;
      const spot = roomInBand(under, floor.subarray(0, until), 16 / unit);
      const colour = paint(look.colour), table = language.client[name] ? "client" : "ends";
      nodes.push(svg("g", { class: "evo-mark", "data-key": `${table}.${name}`, "data-band": name, "data-peak": tallest, "data-also": name === "failed" ? [...FAILED].map((end) => `ends.${end}`).join(" ") : null },
        svg("path", { d: upper + lower + "Z", fill: colour, "fill-opacity": look.opacity, stroke: colour, "stroke-width": 1, "stroke-dasharray": name === "connecting" ? "3 2" : null }),
        spot && label(left + (spot.at * (right - left)) / columns, base - spot.middle * unit, language.client[name]?.word || name, { "text-anchor": "middle", fill: paint(look.opacity < 1 ? "ink" : "onmark"), class: "evo-heading" })));
    }
    bandRow.group.replaceChildren(...nodes);
    bandRow.scale.replaceChildren(label(left - 8, base - L.bands + 5, grouped(all), { "text-anchor": "end", fill: paint("soft"), class: "evo-number" }),
      label(left - 8, base - 4, "0", { "text-anchor": "end", fill: paint("soft") }));
  }
  function drawGuesses(state) {
    guesses.replaceChildren(...(state.guesses || []).flatMap((guess) => {
      const entry = lanes.get(guess.lane), px = x(guess.t);
      const source = state.lanes.find((lane) => lane.id === guess.lane), seen = guess.measured ?? source?.end?.t;
      const y = entry ? entry.y + entry.row / 2 : L.axis;
      const node = svg("g", { class: "evo-mark", "data-key": "guess.guess", "data-guess": guess.lane ?? "", "data-from": guess.t });
      if (!entry) node.append(svg("line", { x1: px, x2: px, y1: L.axis - 4, y2: height - 4, stroke: paint("guess"), "stroke-width": 1.5, "stroke-dasharray": "3 3" }));
      else if (seen !== undefined && Math.abs(x(seen) - px) > 10) {
        const way = Math.sign(x(seen) - px);
        node.append(svg("line", { x1: px + 4 * way, x2: x(seen) - 6 * way, y1: y, y2: y, stroke: paint("guess"), "stroke-width": 1.5, "stroke-dasharray": "2 2.5" }));
      }
      const text = seen === undefined ? guess.label || "your prediction" : `${time(Math.abs(seen - guess.t))} off`, inside = px + 12 + WIDE.sans * text.length < width;
      node.append(ghost(px, { transform: `translate(0,${y})` }),
        label(inside ? px + 9 : px - 9, y, text, { "text-anchor": inside ? "start" : "end", fill: paint("guess"), class: "evo-note" }));
      return [node];
    }));
  }

  function draw() {
    frame = 0;
    const state = read(), before = `${view.from} ${view.to}`;
    if (!width) return;
    if (!zoomed) Object.assign(view, { from: 0, to: reach(state) });
    const moved = layout(state), everything = moved === "all" || before !== `${view.from} ${view.to}` || redraw;
    redraw = false;
    const sources = new Map([...state.lanes, ...state.processes].map((lane) => [lane.id, lane]));
    if (everything || moved) drawAxis();
    for (const entry of order) drawLane(entry, sources.get(entry.id), everything, state.now);
    if (bandRow) drawBands(state);
    drawQueue(state);
    drawGuesses(state);
    showHead(state);
    root.toggleAttribute("data-recorded", Boolean(state.recorded));
    set(root, { "data-running": Boolean(state.running), "data-now": state.now, "data-lanes": state.lanes.length });
    title.textContent = state.title || "Timeline";
    chip.textContent = state.recorded ? "recorded" : state.running ? `running · ${time(state.now)}` : "";
    chip.hidden = !chip.textContent;
    if (!state.running || performance.now() - listed > 250) {
      listed = performance.now();
      key.show(new Set([...marks.querySelectorAll(".evo-mark"), ...guesses.querySelectorAll(".evo-mark")].map((node) => node.dataset.key)));
    }
    key.light();
    say(state);
    for (const control of [play, back, on, scrub]) control.disabled = Boolean(state.running); // a run has no end to go back from
    if (!chosenSpeed) { speed = SPEEDS.find((s) => lastMoment(state) / s >= 2) || SPEEDS[SPEEDS.length - 1]; showTempo(); }
  }
  let redraw = true;
  function say(state) { // always true to the picture; read aloud when the run is over
    set(sentence, { "aria-live": state.running ? "off" : "polite" });
    const words = state.sentence || "";
    if (sentence.textContent !== words) sentence.textContent = words;
  }
  function ask(everything) {
    redraw = redraw || Boolean(everything);
    if (!frame) frame = requestAnimationFrame(draw);
  }

  // --- playing a finished run ---
  const showTempo = () => { tempo.textContent = speed === 1 ? "1×" : speed === 0.25 ? "¼×" : speed === 0.1 ? "⅒×" : "1/50×"; set(tempo, { "aria-label": `Tempo ${tempo.textContent}` }); };
  function showHead(state) {
    const t = head === null ? view.to : head, px = clamp(x(t), left - 3, width);
    const clip = { x: 0, y: 0, width: head === null ? width : px, height };
    if (clip.width !== clipped.width || height !== clipped.height) set(headRect, (clipped = clip)); // a new clip paints everything anew
    set(headLine, { x1: px, x2: px, display: head === null ? "none" : null });
    set(root, { "data-head": head === null ? null : head.toFixed(4), "data-playing": playing });
    scrub.value = Math.round(clamp((t - view.from) / (view.to - view.from), 0, 1) * 1000);
    set(scrub, { "aria-valuetext": exact(head === null ? state.now || 0 : head) });
    if (head !== null) showLength(state, head);
  }
  function moveHead(t) {
    const state = read(), last = lastMoment(state);
    head = t >= last ? null : Math.max(0, t);
    showHead(state);
    if (head === null) showLength(state, null);
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
    if (head === null) moveHead(view.from);
    lastTick = performance.now();
    requestAnimationFrame(tick);
  }
  function tick(now) {
    if (!playing) return;
    if (!calm()) moveHead(head + ((now - lastTick) / 1000) * speed);
    else if (now - lastTick > 700) moveHead(nextMoment(1, 0.02));
    else return requestAnimationFrame(tick);
    lastTick = now;
    if (head === null) return pause();
    requestAnimationFrame(tick);
  }
  function nextMoment(way, apart = 0) {
    const state = read(), here = head === null ? lastMoment(state) : head, least = Math.max(apart * lastMoment(state), 1e-6);
    const all = moments(state);
    return way > 0 ? all.find((t) => t > here + least) ?? lastMoment(state) : all.reverse().find((t) => t < here - least) ?? 0;
  }
  function step(way) {
    pause();
    moveHead(nextMoment(way));
    if (laneChosen >= 0) choose(laneChosen);
  }

  // --- zoom ---
  function zoomTo(from, to) {
    const whole = reach(read());
    if (to - from < whole / 5000) return;
    Object.assign(view, { from: Math.max(0, from), to: Math.min(whole, to) });
    zoomed = view.from > 0 || view.to < whole;
    ask(true);
    root.toggleAttribute("data-zoomed", zoomed);
  }
  function zoom(factor) {
    const centre = head !== null && head > view.from && head < view.to ? head : (view.from + view.to) / 2, half = ((view.to - view.from) * factor) / 2;
    zoomTo(centre - half, centre + half);
  }
  const zoomAll = () => zoomTo(0, reach(read()));

  // --- pointer and keys ---
  function inform(entry, t, px, py, aloud) {
    const state = read(), source = [...state.lanes, ...state.processes].find((lane) => lane.id === entry?.id);
    if (!source) {
      if (aloud) spoken.textContent = exact(t);
      const inQueue = py >= queueRow.y && py <= queueRow.y + L.queue;
      if (inQueue) tip.show(px, py, "Accept queue", [`${queueRow.length.textContent} at ${exact(t)}`], "rx_queue of the listener in /proc/net/tcp");
      else tip.hide();
      return;
    }
    const near = (5 / (right - left)) * (view.to - view.from);
    const ended = source.end && Math.abs(source.end.t - t) <= near ? source.end : null;
    const span = spanAt(source, t) || (ended ? null : source.spans.findLast((s) => s.from <= t && t - (s.to ?? t) < near));
    const table = entry.kind === "client" ? language.client : language.process;
    const rows = [], look = ended ? language.ends[ended.state] : span && table[span.state];
    if (!look) { tip.hide(); if (aloud) spoken.textContent = `${source.label}, ${exact(t)}: nothing`; return; }
    if (ended) rows.push(`at ${exact(ended.t)}`);
    else rows.push(`${exact(span.from)} to ${span.to == null ? "now" : exact(span.to)}`, `for ${exact((span.to ?? state.now) - span.from)}`);
    if (!ended && span.pid) rows.push(`by pid ${span.pid}`);
    if (!ended && span.share !== undefined && span.share !== null) rows.push(`${Math.round(span.share * 100)} % of the bytes arrived`);
    const guess = (state.guesses || []).find((each) => each.lane === entry.id);
    if (guess) rows.push(`${guess.label || "your prediction"}: ${exact(guess.t)}`);
    tip.show(px, py, `${source.label} · ${look.word}`, rows, (ended || span).note);
    if (aloud) spoken.textContent = `${source.label}: ${look.word}, ${rows.join(", ")} ${(ended || span).note || ""}`;
    relate(span);
  }
  function relate(span) { // the process that serves this client, and all it serves
    for (const entry of order) entry.group.toggleAttribute("data-related", Boolean(span?.pid) && (entry.id === `p${span.pid}` || entry.marks.some((m) => m.span.pid === span.pid)));
    root.toggleAttribute("data-relating", Boolean(span?.pid));
  }
  function showHair(t) {
    const px = x(t), text = exact(t), half = 3.6 * text.length + 5, centre = clamp(px, half, width - half);
    set(hair, { x1: px, x2: px, display: null });
    hairTime.replaceChildren(svg("rect", { x: centre - half, y: 2, width: 2 * half, height: 18, rx: 4, fill: paint("ink") }),
      label(centre, 11.5, text, { "text-anchor": "middle", fill: paint("page"), class: "evo-number" }));
    set(hairTime, { display: null });
    for (const tick of axis.children) set(tick, { display: Math.abs(tick.getAttribute("x") - centre) < half + 18 ? "none" : null });
    set(root, { "data-hair": t.toFixed(4) });
    showLength(read(), t);
  }
  function leave() {
    tip.hide();
    relate(null);
    for (const node of [hair, hairTime]) set(node, { display: "none" });
    for (const tick of axis.children) set(tick, { display: null });
    if (queueRow?.scale) showLength(read(), head);
  }
  const point = (event) => { const box = drawing.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  let drag = null;
  stage.addEventListener("pointermove", (event) => {
    const [px, py] = point(event);
    if (drag !== null) set(dragged, { display: Math.abs(px - drag) > 3 ? null : "none", x: Math.min(drag, px), width: Math.abs(px - drag), y: L.axis - 4, height: height - L.axis });
    if (px < left - 4) return leave();
    const t = clamp(at(px), view.from, view.to);
    showHair(t);
    inform(order.find((lane) => py >= lane.y && py < lane.y + lane.row), t, px, py, false);
  });
  stage.addEventListener("pointerleave", leave);
  drawing.addEventListener("pointerdown", (event) => {
    const [px] = point(event);
    if (event.button || px < left - 4) return;
    drag = clamp(px, left, right);
    drawing.setPointerCapture(event.pointerId);
  });
  drawing.addEventListener("pointerup", (event) => {
    const [px] = point(event), from = drag;
    drag = null;
    set(dragged, { display: "none" });
    if (from !== null && Math.abs(px - from) > 6) zoomTo(at(Math.min(from, px)), at(Math.min(right, Math.max(from, px))));
  });
  drawing.addEventListener("pointercancel", () => { drag = null; set(dragged, { display: "none" }); });
  drawing.addEventListener("dblclick", zoomAll);
  function choose(index) {
    if (!order.length) return;
    laneChosen = clamp(index, 0, order.length - 1);
    const entry = order[laneChosen], t = head === null ? read().now : head;
    set(chosen, { x: 1, y: entry.y, width: width - 2, height: entry.row, display: null });
    showHair(clamp(t, view.from, view.to));
    inform(entry, Math.max(0, t - 1e-7), clamp(x(t), left, right), entry.y, true);
  }
  const KEYS = {
    " ": toggle, ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => { pause(); moveHead(0); }, End: () => { pause(); moveHead(Infinity); },
    ArrowUp: () => choose(laneChosen < 0 ? order.length - 1 : laneChosen - 1), ArrowDown: () => choose(laneChosen + 1),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: zoomAll,
    Escape: () => { laneChosen = -1; set(chosen, { display: "none" }); leave(); },
  };
  stage.addEventListener("keydown", (event) => {
    const action = !event.ctrlKey && !event.metaKey && !event.altKey && KEYS[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  stage.addEventListener("blur", () => KEYS.Escape());

  const watch = new ResizeObserver(() => {
    const room = Math.floor(root.clientWidth);
    if (room && room !== width) { width = room; ask(true); }
  });
  watch.observe(root);
  return {
    changed(whole) {
      if (whole) fresh = true;
      if (whole === "another") { head = null; zoomed = false; pause(); }
      ask(whole);
    },
    close() { watch.disconnect(); cancelAnimationFrame(frame); playing = false; },
  };
}
