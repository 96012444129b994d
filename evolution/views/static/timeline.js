// The timeline: clients in connecting order, the accept queue, the server's processes, on one time axis.
// What a hand does with it is in stage.js; here is what there is to see.

export default live({ kind: "timeline", empty: emptyTimeline, merge: mergeTimeline, view: timelineView });

function timelineView(host, language, read) {
  const L = language.layout;
  const s = timeStage(host, language, {
    name: "timeline", title: "Timeline", read, speeds: 4,
    hint: "Left and right: to the moment before and after. Up and down: choose a lane. Space: play. Plus, minus, 0: zoom.",
    plan: layout, draw, moments, inform, at: showLength, left: () => relate(null),
  });
  const { x, view } = s;
  const clientNames = svg("g"), clientMarks = svg("g"), otherNames = svg("g"), otherMarks = svg("g");
  s.names.append(clientNames, otherNames);
  s.marks.append(otherMarks, clientMarks);
  let plan = "", fresh = true, kept = "", laidOut = 0; // what the lanes were laid out for, and when
  let lanes = new Map(), queueRow = null, bandRow = null;

  // --- where everything goes; only when lanes come, or the width changes. Clients that are there already stay as they are ---
  function layout(state) {
    const many = Boolean(state.bands) || state.lanes.length > L.many;
    const shown = many ? interesting(state, L.interesting) : state.lanes;
    const wanted = [s.width, many, shown.map((lane) => lane.id + lane.label).join(), state.processes.map((lane) => lane.id + lane.label).join(), fresh, ...sections(state)].join("|");
    if (wanted === plan) return false;
    if (state.running && !fresh && s.order.length > 100 && performance.now() - laidOut < 120) { // many come at once: in batches
      setTimeout(() => s.ask(false), 130);
      return false;
    }
    laidOut = performance.now();
    plan = wanted;
    const again = fresh;
    fresh = false;
    s.left = Math.round(clamp(s.width * L.gutter_share, ...L.gutter));
    s.right = s.width - L.right;
    const dense = shown.length + state.processes.length >= L.dense;
    const row = dense ? L.dense_row : L.row, thick = dense ? L.dense_bar : L.bar;
    const keep = `${s.width} ${many} ${row}`, clients = s.order.filter((entry) => entry.kind === "client");
    const grown = keep === kept && !again && clients.every((entry, i) => shown[i]?.id === entry.id && shown[i].label === entry.label);
    kept = keep;
    otherNames.replaceChildren();
    otherMarks.replaceChildren();
    if (!grown) { clientNames.replaceChildren(); clientMarks.replaceChildren(); clients.length = 0; }
    s.order = [...clients];
    lanes = new Map(s.order.map((entry) => [entry.id, entry]));
    let y = L.axis;
    const [crowd, queue] = sections(state);
    const word = (at, text) => otherNames.append(label(4, at, text, { class: "evo-heading", fill: paint("soft") }));
    const heading = (text) => {
      word(y, text);
      if (y > L.axis + 10) otherNames.append(svg("line", { x1: 0, x2: s.width, y1: y - 10, y2: y - 10, stroke: paint("rule"), "data-rule": "" }));
    };
    const lane = (source, kind, indent = 0) => {
      const group = svg("g", { transform: `translate(0,${y + row / 2})`, "data-lane": source.id, "data-kind": kind });
      (kind === "client" ? clientNames : otherNames).append(fitted(4 + indent, y + row / 2, source.label || source.id, s.left - 10 - indent));
      (kind === "client" ? clientMarks : otherMarks).append(group);
      const entry = { id: source.id, label: source.label, kind, group, y, row, thick, marks: [], end: null, fresh: true };
      lanes.set(source.id, entry);
      s.order.push(entry);
      y += row;
    };
    if (crowd) word(11, many ? grouped(total(state)) + (s.width < 480 ? "" : " clients") : "Clients");
    bandRow = null;
    if (many) {
      bandRow = { y, group: svg("g", { "data-bands": "" }), scale: svg("g") };
      otherMarks.append(bandRow.group);
      otherNames.append(bandRow.scale);
      y += L.bands + 10;
      if (shown.length) word(y + 6, "the first of each kind, the slowest, the failed");
      y += shown.length ? 18 : 0;
    }
    y += clients.length * row;
    for (const source of shown.slice(clients.length)) lane(source, "client");
    if (crowd) y += L.gap;
    queueRow = null;
    if (queue) {
      queueRow = { y: y + 2, group: svg("g", { "data-queue": "" }), length: label(4, y + 32, "", { fill: paint("soft"), class: "evo-number" }), limit: svg("g") };
      y += 10;
      heading("Accept queue");
      otherNames.append(queueRow.length, queueRow.limit);
      otherMarks.append(queueRow.group);
      y = queueRow.y + L.queue + L.gap - 2;
    }
    if (y > L.axis && (state.processes.length || state.running)) { // lanes alone need no name
      y += 10;
      heading("Server");
      y += 10;
    }
    for (const source of state.processes) lane(source, "process", indent(source));
    s.height = y + 6;
    return grown ? "grown" : true;
  }
  // --- marks: only what is new or still open is touched, unless everything moved ---
  function keyOf(kind, span) {
    return kind === "client" ? `client.${span.state}` : span.state === "asleep" ? `sleeps.${sleepKind(span.note)}` : `process.${span.state}`;
  }
  const sleepKind = (note) => language.calls[(note || "").split("(")[0].trim()] || "other";
  function drawSpan(entry, span, before) {
    const look = (entry.kind === "client" ? language.client : language.process)[span.state];
    if (!look) return { span, node: svg("g"), place() {} };
    const from = before && before.state === "sending" && span.state === "sending" ? before.share ?? 0 : 0;
    const mark = drawMark(look, entry.thick, { text: written(span), from, share: span.share ?? 1, sleep: language.sleeps[sleepKind(span.note)], hatch: s.hatch }, L);
    set(mark.node, { class: "evo-mark", "data-key": keyOf(entry.kind, span), "data-state": span.state, "data-from": span.from, "data-pid": span.pid ?? null });
    return { ...mark, span };
  }
  function place(mark, now) {
    const { span } = mark, from = x(span.from), to = x(span.to ?? Math.max(now, span.from));
    const visible = to >= s.left - 4 && from <= s.right + L.right;
    mark.open = span.to == null;
    set(mark.node, { display: visible ? null : "none", "data-to": span.to ?? null });
    const cut = span.state === "sending" ? (value) => value : (value) => clamp(value, s.left - 4, s.width + 4);
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
    set(mark.node, { transform: `translate(${px},0)`, display: px < s.left - 2 || px > s.width - 4 ? "none" : null });
    if (note) {
      const fits = px + 12 + 7 * note.textContent.length < s.width;
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
    const start = steps.length ? x(steps[0][0]).toFixed(1) : s.left, end = x(state.now || 0).toFixed(1);
    const units = top <= 12 ? Array.from({ length: Math.floor(top) }, (_, i) => i + 1) : [];
    queueRow.group.replaceChildren(
      ...units.map((n) => svg("line", { x1: s.left, x2: s.right, y1: h(n), y2: h(n), stroke: paint("rule"), "stroke-dasharray": "1 3" })),
      svg("path", { d: path ? `${path}V${base}H${start}Z` : "", fill: paint("queued"), opacity: 0.16 }),
      svg("path", { d: path, fill: "none", stroke: paint("queued"), "stroke-width": 1.6, class: "evo-mark", "data-key": peak ? "client.queued" : null, "data-peak": peak, "data-limit": limit, "data-until": end }),
      svg("line", { x1: s.left, x2: s.right, y1: base, y2: base, stroke: paint("rule") }));
    queueRow.limit.replaceChildren();
    if (near) queueRow.limit.append(svg("line", { x1: s.left, x2: s.right, y1: h(limit), y2: h(limit), stroke: paint("fail"), "stroke-dasharray": "5 3" }),
      label(s.right, h(limit) + 8, `limit ${grouped(limit)}`, { "text-anchor": "end", fill: paint("fail"), class: "evo-number" }));
    queueRow.scale = { h, peak, top };
    showLength(state, null);
  }
  function showLength(state, t) {
    if (!queueRow?.scale) return;
    const limit = state.queue.limit ? ` of ${grouped(state.queue.limit)}` : "";
    const text = (t === null ? `peak ${grouped(queueRow.scale.peak)}` : grouped(lengthAt(state.queue, t))) + limit;
    const said = text.length * 6.2 > s.left - 8 ? text.replace(/ of .*/, "") : text;
    if (queueRow.length.textContent !== said) queueRow.length.textContent = said; // text is laid out anew even when it is the same
  }
  function drawBands(state) {
    const columns = Math.max(1, Math.floor((s.right - s.left) / 2)), counts = bandCounts(state, Object.keys(language.bands), view.from, view.to, columns);
    const all = total(state), base = bandRow.y + L.bands, unit = L.bands / Math.max(1, all);
    const floor = new Float64Array(columns), until = clamp(Math.ceil(((state.now - view.from) / (view.to - view.from)) * columns), 0, columns);
    const nodes = [];
    for (const [name, look] of Object.entries(language.bands)) {
      let upper = "", lower = "", tallest = 0;
      const row = counts[name], under = floor.slice(0, until);
      for (let i = 0; i < until; i++) {
        const a = s.left + (i * (s.right - s.left)) / columns, b = s.left + ((i + 1) * (s.right - s.left)) / columns, low = base - floor[i] * unit;
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
        spot && label(s.left + (spot.at * (s.right - s.left)) / columns, base - spot.middle * unit, language.client[name]?.word || name, { "text-anchor": "middle", fill: paint(look.opacity < 1 ? "ink" : "onmark"), class: "evo-heading" })));
    }
    bandRow.group.replaceChildren(...nodes);
    bandRow.scale.replaceChildren(label(s.left - 8, base - L.bands + 5, grouped(all), { "text-anchor": "end", fill: paint("soft"), class: "evo-number" }),
      label(s.left - 8, base - 4, "0", { "text-anchor": "end", fill: paint("soft") }));
  }
  function drawGuesses(state) {
    s.over.replaceChildren(...(state.guesses || []).flatMap((guess) => {
      const entry = lanes.get(guess.lane), px = x(guess.t);
      const source = [...state.lanes, ...state.processes].find((lane) => lane.id === guess.lane), seen = guess.measured ?? source?.end?.t;
      const y = entry ? entry.y + entry.row / 2 : L.axis - 4;
      const node = svg("g", { class: "evo-mark", "data-key": "guess.guess", "data-guess": guess.lane ?? "", "data-from": guess.t });
      if (!entry) node.append(svg("line", { x1: px, x2: px, y1: L.axis - 4, y2: s.height - 4, stroke: paint("guess"), "stroke-width": 1.5, "stroke-dasharray": "3 3" }));
      else if (seen !== undefined && Math.abs(x(seen) - px) > 10) {
        const way = Math.sign(x(seen) - px);
        const ends = { x1: px + 4 * way, x2: x(seen) - 6 * way, y1: y, y2: y };
        node.append(svg("line", { ...ends, stroke: paint("page"), "stroke-width": 4 }), svg("line", { ...ends, stroke: paint("guess"), "stroke-width": 1.5, "stroke-dasharray": "2 2.5" }));
      }
      const text = guess.said || (seen === undefined ? guess.label || "your prediction" : `${time(Math.abs(seen - guess.t))} off`);
      const parts = entry ? taken(entry, source, state.now) : [], [at, side] = besideGhost(px, WIDE.sans * text.length, parts, s.left, s.width);
      const low = Math.min(px - 5, x(seen ?? guess.t)), high = Math.max(px + 5, x(seen ?? guess.t));
      for (const { from, to, mark } of parts) if (mark) mark.node.toggleAttribute("data-under", from < high && to > low); // a pid that the prediction lies on
      node.append(ghost(px, { transform: `translate(0,${y})` }), label(at, y, text, { "text-anchor": side, fill: paint("guess"), class: "evo-note" }));
      return [node];
    }));
  }
  function taken(entry, source, now) { // what stands in a lane: {from, to} in px, and whether it is text
    const cut = (t) => clamp(x(t), s.left - 4, s.width + 4), found = [];
    for (const [i, span] of source.spans.entries()) {
      const from = cut(span.from), to = Math.max(cut(span.to ?? Math.max(now, span.from)), from), text = written(span);
      if (!["connecting", "idle"].includes(span.state)) found.push({ from, to });
      if (text && to - from >= roomOf(span, text)) found.push({ from, to: from + roomOf(span, text), text, mark: entry.marks[i] });
    }
    const end = source.end && x(source.end.t), note = language.ends[source.end?.state]?.colour === "fail" ? source.end.note : "";
    if (end) found.push(end + 12 + 7 * note.length < s.width ? { from: end - 7, to: end + 7 + 7 * note.length, text: note } : { from: end - 7 - 7 * note.length, to: end + 7, text: note });
    return found;
  }
  const written = (span) => (span.state === "asleep" ? span.note : ["served", "running"].includes(span.state) && span.pid ? String(span.pid) : "");
  const roomOf = (span, text) => (span.state === "asleep" ? text.length * WIDE.mono + 10 : Math.max(L.room, text.length * WIDE.sans + 6));
  function draw(state, everything) {
    const sources = new Map([...state.lanes, ...state.processes].map((lane) => [lane.id, lane]));
    for (const entry of s.order) drawLane(entry, sources.get(entry.id), everything, state.now);
    if (bandRow) drawBands(state);
    if (queueRow) drawQueue(state);
    drawGuesses(state);
  }

  // --- what a lane tells at a moment, and what hangs together with it ---
  function inform(state, entry, t, px, py) {
    const source = [...state.lanes, ...state.processes].find((lane) => lane.id === entry?.id);
    if (!source) {
      if (!queueRow || py < queueRow.y || py > queueRow.y + L.queue) return null;
      return { head: "Accept queue", rows: [`${queueRow.length.textContent} at ${exact(t)}`], words: "rx_queue of the listener in /proc/net/tcp" };
    }
    t = Math.max(0, t - 1e-7); // a moment to which one has stepped: what led to it
    const near = (5 / (s.right - s.left)) * (view.to - view.from);
    const ended = source.end && Math.abs(source.end.t - t) <= near ? source.end : null;
    const span = spanAt(source, t) || (ended ? null : source.spans.findLast((each) => each.from <= t && t - (each.to ?? t) < near));
    const table = entry.kind === "client" ? language.client : language.process;
    const rows = [], look = ended ? language.ends[ended.state] : span && table[span.state];
    if (!look) return { aloud: `${source.label}, ${exact(t)}: nothing` };
    if (ended) rows.push(`at ${exact(ended.t)}`);
    else rows.push(`${exact(span.from)} to ${span.to == null ? "now" : exact(span.to)}`, `for ${exact((span.to ?? state.now) - span.from)}`);
    if (!ended && span.pid) rows.push(`by pid ${span.pid}`);
    if (!ended && span.share !== undefined && span.share !== null) rows.push(`${Math.round(span.share * 100)} % of the bytes arrived`);
    const guess = (state.guesses || []).find((each) => each.lane === entry.id);
    if (guess) rows.push(`${guess.label || "your prediction"}: ${exact(guess.t)}`);
    const words = (ended || span).note;
    relate(span);
    return { head: `${source.label} · ${look.word}`, rows, words, aloud: `${source.label}: ${look.word}, ${rows.join(", ")} ${words || ""}` };
  }
  function relate(span) { // the process that serves this client, and all it serves
    for (const entry of s.order) entry.group.toggleAttribute("data-related", Boolean(span?.pid) && (entry.id === `p${span.pid}` || entry.marks.some((m) => m.span.pid === span.pid)));
    s.root.toggleAttribute("data-relating", Boolean(span?.pid));
  }

  return {
    changed(whole) {
      if (whole) fresh = true;
      if (whole === "another") s.another();
      s.ask(whole);
    },
    close: s.close,
  };
}
