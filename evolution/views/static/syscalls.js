// System calls: one lane for each thread, a call is a bar as long as it lasted; below, what a request costs.

export default live({ kind: "calls", empty: emptyCalls, merge: mergeCalls, view: callsView });

const FILTERS = [["", "all"], ["waiting", "waiting"], ["sockets", "sockets"], ["processes", "processes"]];
const FILTER_TITLES = { "": "Every call that was watched", waiting: "Calls that slept: at least 1 ms", sockets: "Calls about sockets, and about which of them is ready",
  processes: "Calls that make, end, wake and await processes and threads; signals" };
const COUNT_ROW = 20;

function callsView(host, language, read) {
  const L = language.layout;
  let plan = "", fresh = true, filter = "", shownAnswer = 0;
  const matches = (span) => !filter || (filter === "waiting" ? span.kind === "wait" : span.group.split(" ").includes(filter));
  const s = timeStage(host, language, {
    name: "syscalls", title: "System calls", read, exact: fine, finest: 2e-5, live: true,
    hint: "Left and right: to the call before and after. Up and down: choose a thread. Space: play. Plus, minus, 0: zoom. R: one request. F: filter.",
    plan: layout, draw, moments, inform,
    keys: { r: () => oneRequest(), f: () => choose(FILTERS[(FILTERS.findIndex(([each]) => each === filter) + 1) % FILTERS.length][0]) },
  });
  const filters = html("div", { class: "evo-filters", role: "group", "aria-label": "Which calls are shown" },
    ...FILTERS.map(([name, word]) => html("button", { type: "button", class: "evo-filter", "data-filter": name || "all", "aria-pressed": String(name === filter),
      title: FILTER_TITLES[name], onclick: () => choose(name) }, word)),
    html("button", { type: "button", class: "evo-filter evo-one", title: "Zoom to one request, from its waking call to its answer; again: to the next one", onclick: () => oneRequest() }, "one request"));
  const note = html("p", { class: "evo-why", hidden: true });
  s.root.querySelector(".evo-player").after(filters);
  s.root.querySelector(".evo-header").after(note);
  const links = svg("g"), counts = svg("g", { class: "evo-counts" });
  s.names.after(counts);

  function choose(name) {
    filter = name;
    for (const each of filters.querySelectorAll("[data-filter]")) set(each, { "aria-pressed": String(each.dataset.filter === (name || "all")) });
    set(s.root, { "data-filter": name || null });
    s.ask(true);
  }
  function oneRequest() {
    const found = answers(read());
    if (!found.length) return;
    const { spans, at } = (s.zoomed && found.find((each) => each.to > shownAnswer)) || found[0];
    shownAnswer = spans[at].to;
    let first = at;
    while (first > 0 && spans[first - 1].kind !== "wait" && spans[first - 1].word !== "send") first--;
    const begin = spans[first - 1]?.to ?? spans[first].from, margin = Math.max(2e-5, (spans[at].to - begin) * 0.2);
    s.showAll();
    s.zoomTo(begin - margin, spans[at].to + margin);
  }
  function layout(state) {
    const rows = state.counts.rows.length, wanted = [s.width, state.lanes.map((lane) => lane.id + lane.label).join(), rows, fresh].join("|");
    if (wanted === plan) return false;
    plan = wanted;
    fresh = false;
    s.left = Math.round(clamp(s.width * L.gutter_share, ...L.gutter));
    s.right = s.width - L.right;
    s.names.replaceChildren();
    s.marks.replaceChildren(links); // behind the bars
    s.order = [];
    const dense = state.lanes.length >= L.dense, row = dense ? L.dense_row : L.row + 4, thick = dense ? L.dense_bar : L.bar + 2;
    let y = L.axis;
    s.names.append(label(4, 11, "Threads", { class: "evo-heading", fill: paint("soft") }));
    for (const lane of state.lanes) {
      const group = svg("g", { transform: `translate(0,${y + row / 2})`, "data-lane": lane.id });
      const inset = 10 * Math.min(lane.depth, 3);
      s.names.append(fitted(4 + inset, y + row / 2, lane.label, s.left - 10 - inset));
      s.marks.append(group);
      s.order.push({ id: lane.id, group, y, row, thick });
      y += row;
    }
    s.floor = y + 6;
    s.height = s.floor + (rows ? L.gap + 18 + COUNT_ROW * rows + 6 : 0);
    return true;
  }

  // --- the lanes: only what is in the window, and what falls on one pixel once ---
  function draw(state, everything) {
    const byId = new Map(state.lanes.map((lane) => [lane.id, lane]));
    for (const entry of s.order) {
      const lane = byId.get(entry.id), last = lane.spans[lane.spans.length - 1];
      const seen = `${lane.spans.length} ${last?.from} ${last?.to} ${lane.end?.t} ${filter} ${lane.end ? "" : state.now}`;
      if (!everything && seen === entry.seen) continue;
      entry.seen = seen;
      entry.group.replaceChildren(...laneMarks(lane, entry, state));
    }
    links.replaceChildren(...(filter && filter !== "processes" ? [] : births(state, byId)));
    drawCounts(state);
    note.textContent = state.note || "";
    note.hidden = !state.note;
  }
  function laneMarks(lane, entry, state) {
    const { x, view } = s, nodes = [], bars = [], end = lane.end?.t ?? state.now, low = s.left - 4, high = s.width + 4;
    const cut = (px) => clamp(px, low, high);
    if (end >= view.from && lane.begin <= view.to) {
      const between = drawMark(language.syscall.between, entry.thick, {}, L);
      set(between.node, { class: "evo-mark evo-between", "data-key": "syscall.between" });
      between.place(cut(x(lane.begin)), cut(x(end)));
      nodes.push(between.node);
    }
    let heap = null; // short calls that share a pixel
    const close = () => {
      if (!heap) return;
      if (heap.spans.length === 1) single(heap.spans[0], heap.from, heap.to);
      else { nodes.push(many(heap, entry)); bars.push(heap); }
      heap = null;
    };
    const single = (span, from, to) => {
      const bar = one(span, entry, from, to);
      nodes.push(bar.node);
      bars.push({ from, to: Math.max(to, from + 1.5), span, named: bar.named });
    };
    const spans = lane.spans, flags = [];
    for (let i = firstIn(spans, view.from); i < spans.length && spans[i].from <= view.to; i++) {
      const span = spans[i];
      if (!matches(span)) continue;
      const from = x(span.from), to = x(span.to ?? Math.max(state.now, span.from));
      if (span.kind === "signal") { flags.push(signal(span, from)); continue; }
      if (span.kind === "wait") { close(); single(span, cut(from), cut(to)); continue; }
      const left = heap ? Math.max(from, heap.to) : from;
      if (heap && from - heap.to < 1 && to - from < 3 && heap.spans.every((each) => x(each.to ?? state.now) - x(each.from) < 3)) {
        heap.to = Math.max(heap.to, to, heap.from + 1.5);
        heap.spans.push(span);
        continue;
      }
      close();
      heap = { from: cut(left), to: Math.max(cut(to), cut(left) + 1.5), spans: [span] };
    }
    close();
    nodes.push(...besides(bars, cut(x(end))), ...flags);
    if (lane.end && lane.end.t >= view.from && lane.end.t <= view.to) {
      const look = language.ends.gone;
      nodes.push(svg("g", { class: "evo-mark", "data-key": "ends.gone", "data-end": "gone", "data-from": lane.end.t, transform: `translate(${x(lane.end.t)},0)` },
        drawGlyph(look, language.glyphs[look.shape])));
    }
    return nodes;
  }
  function looks(span) {
    if (span.kind !== "wait") return [language.syscall[span.kind], `syscall.${span.kind}`, null];
    const kind = language.calls[span.word] || "other";
    return [language.process.asleep, `sleeps.${kind}`, language.sleeps[kind]];
  }
  function one(span, entry, from, to) {
    const [look, key, sleep] = looks(span), room = to - from;
    const texts = [`${called(span)} ${span.said}`, `${span.word} ${span.said}`, span.kind === "fail" ? span.said : span.word].map((each) => each.trim());
    const wide = span.kind === "work" ? (text) => Math.max(L.room, text.length * WIDE.sans + 6) : (text) => text.length * WIDE.mono + 10;
    const text = texts.find((each) => wide(each) <= room) || "";
    const mark = drawMark(look, entry.thick, { text, sleep }, L);
    mark.place(from, to);
    if (text && look.shape === "hollow") mark.node = svg("g", {}, mark.node, label(from + 5, 0.5, text, { class: "evo-call", fill: paint("fail") }));
    set(mark.node, { class: "evo-mark", "data-key": key, "data-kind": span.kind, "data-word": span.word, "data-from": span.from, "data-to": span.to });
    return { node: mark.node, named: Boolean(text) };
  }
  function besides(bars, end) { // the name of a short call stands behind it, where there is room
    return bars.flatMap(({ span, to, named }, i) => {
      const room = (bars[i + 1]?.from ?? end) - to - 8;
      const text = span && !named && span.kind !== "wait" && [`${span.word} ${span.said}`.trim(), span.word].find((each) => each.length * WIDE.mono <= room);
      return text ? [svg("rect", { x: to + 2, y: -7, width: text.length * WIDE.mono + 4, height: 14, fill: paint("page") }), label(to + 4, 0.5, text, { class: "evo-call", fill: paint(span.kind === "fail" ? "fail" : "ink") })] : [];
    });
  }
  function many(heap, entry) {
    const node = drawMark(language.syscall.work, entry.thick, {}, L);
    node.place(heap.from, heap.to);
    return set(node.node, { class: "evo-mark", "data-key": "syscall.work", "data-many": heap.spans.length, "data-from": heap.spans[0].from });
  }
  function signal(span, at) {
    return svg("g", { class: "evo-mark", "data-key": "syscall.signal", "data-kind": "signal", "data-word": span.word, "data-from": span.from, transform: `translate(${at},0)` },
      drawGlyph(language.syscall.signal, language.glyphs[language.syscall.signal.shape]));
  }
  function births(state, byId) { // from the call that made a thread to the thread
    const rows = new Map(s.order.map((entry) => [entry.id, entry.y + entry.row / 2]));
    return state.lanes.flatMap((lane) => lane.spans.filter((span) => span.child && byId.has(span.child) && span.to >= s.view.from && span.from <= s.view.to).map((span) => {
      const at = clamp(s.x(Math.max(span.from, Math.min(span.to, byId.get(span.child).begin))), s.left, s.right);
      return svg("path", { d: `M${at} ${rows.get(lane.id)}V${rows.get(span.child)}`, fill: "none", stroke: paint("busy"), "stroke-width": 1, "stroke-dasharray": "2 2", "data-birth": span.child });
    }));
  }

  // --- what a request costs ---
  function drawCounts(state) {
    const { head, rows } = state.counts;
    if (!rows.length) return counts.replaceChildren();
    const most = Math.max(...rows.map((row) => row.n)), reach = Math.min(260, (s.right - s.left) * (s.width < 520 ? 0.6 : 0.4));
    const top = s.floor + L.gap, y = (i) => top + 30 + COUNT_ROW * i;
    counts.replaceChildren(
      svg("line", { x1: 0, x2: s.width, y1: top - 2, y2: top - 2, stroke: paint("rule"), "data-rule": "" }),
      label(4, top + 10, s.left < 120 ? "Cost" : "Cost of a request", { class: "evo-heading", fill: paint("soft") }),
      label(s.left, top + 10, head + (s.width < 520 ? "" : "; the solid ones carry its bytes"), { fill: paint("soft"), class: "evo-number" }),
      ...rows.flatMap((row, i) => {
        const long = Math.max(2, (row.n / most) * reach), look = row.carries ? "busy" : "pale";
        const after = s.left + long + 8 + WIDE.sans * row.each.length + 6;
        return [svg("g", { "data-count": row.word, "data-n": row.n },
          label(s.left - 8, y(i), cutTo(row.word, s.left - 16), { "text-anchor": "end", class: "evo-call" }),
          svg("rect", { x: s.left, y: y(i) - 5.5, width: long, height: 11, rx: 2, fill: paint(look), stroke: paint(row.carries ? "busy" : "quiet"), "stroke-width": 1 }),
          label(s.left + long + 8, y(i), row.each, { class: "evo-number" }),
          row.why && after + WIDE.sans * row.why.length < s.width ? label(after, y(i), row.why, { fill: paint("soft") }) : null,
          svg("title", {}, `${row.word}: ${grouped(row.n)} times${row.why ? `; ${row.why}` : ""}`))];
      }));
  }
  const cutTo = (text, room) => (text.length * WIDE.mono > room ? text.slice(0, Math.floor(room / WIDE.mono) - 1) + "…" : text);

  function moments(state) {
    const seen = new Set([0, lastMoment(state)]);
    for (const lane of state.lanes) for (const span of lane.spans) if (matches(span)) seen.add(span.from);
    return [...seen].sort((a, b) => a - b);
  }
  function inform(state, entry, t, px, py) {
    const lane = state.lanes.find((each) => each.id === entry?.id);
    if (!lane) return null;
    const near = (4 / (s.right - s.left)) * (s.view.to - s.view.from), distance = (span) => Math.max(span.from - t, t - (span.to ?? Infinity), 0);
    let best = null, best_at = 0, together = 0;
    for (let i = Math.max(0, firstIn(lane.spans, t - near) - 1); i < lane.spans.length && lane.spans[i].from <= t + near; i++) {
      const span = lane.spans[i];
      if (!matches(span) || distance(span) > near) continue;
      together += 1;
      if (!best || distance(span) < distance(best)) { best = span; best_at = i; }
    }
    if (!best && lane.end && Math.abs(lane.end.t - t) <= near) return told(lane, `${lane.label} · gone`, [`at ${fine(lane.end.t)}`], lane.end.note);
    if (!best) {
      if (t < lane.begin || t > (lane.end?.t ?? state.now)) return { aloud: `${lane.label}, ${fine(t)}: not there` };
      return told(lane, `${lane.label} · no system call`, ["it runs the program, or waits for a processor"], "");
    }
    const rows = [];
    if (best.kind === "signal") rows.push(`arrives at ${fine(best.from)}`);
    else rows.push(`${fine(best.from)} to ${best.to === null || best.to === undefined ? "now" : fine(best.to)}`, `for ${exact((best.to ?? state.now) - best.from)}${best.kind === "wait" ? ", asleep" : ""}`);
    if (together > 1 && best.kind !== "wait") rows.push(`${together} calls are here: zoom in`);
    const before = lane.spans[best_at - 1];
    if (before && before.to !== null && best.from > before.to && best.kind !== "signal" && together === 1) rows.push(`${exact(best.from - before.to)} after the call before it`);
    return told(lane, `${lane.label} · ${called(best)} ${best.said}`.trim(), rows, best.words);
  }
  const told = (lane, head, rows, words) => ({ head, rows, words, aloud: `${head}, ${rows.join(", ")} ${words || ""}` });

  return {
    changed(whole) {
      if (whole) fresh = true;
      if (whole === "another") s.another();
      s.ask(whole);
    },
    close: s.close,
  };
}
