// The X-ray: processes with their descriptors, the kernel's objects, the clients; lines tell what refers to what.
// Which rows and lines there are is decided in Python (xray_scene.py); here they get places, and answer.

export default () => {
  let scene = null;
  const watchers = new Set();
  const adopt = (next) => {
    scene = next && next.columns ? next : { sentence: "", server: {}, columns: [], lines: [] };
    for (const watcher of watchers) watcher();
  };
  return {
    initialize({ model }) {
      adopt(model.get("scene"));
      model.on("change:scene", () => adopt(model.get("scene")));
      model.on("msg:custom", (update) => { if (update.kind === "xray" && update.scene) adopt(update.scene); });
    },
    render({ model, el }) {
      const view = xrayView(el, model.get("language"), () => scene);
      watchers.add(view.changed);
      return () => { watchers.delete(view.changed); view.close(); };
    },
  };
};

const GLOW = 1400; // ms
const BOLD = { style: "font-weight:600" };
const LINES = {
  listener: { stroke: "queued", "stroke-width": 2, "stroke-dasharray": "0.5 4.5", "stroke-linecap": "round" },
  client: { stroke: "served", "stroke-width": 1.6 },
  epoll: { stroke: "quiet", "stroke-width": 1.4, "stroke-dasharray": "5 3.5" },
  tcp: { stroke: "quiet", "stroke-width": 1.2 },
};

function xrayView(host, language, read) {
  const M = language.xray;
  const root = html("section", { class: "evo evo-xray", "data-view": "xray", "aria-label": "X-ray of a server" });
  const title = html("h4", { class: "evo-title" }), chip = html("span", { class: "evo-chip", hidden: true });
  const sentence = html("p", { class: "evo-sentence", "aria-live": "polite", role: "status" });
  const spoken = html("p", { class: "evo-spoken", "aria-live": "polite" });
  const stage = html("div", { class: "evo-stage", tabindex: 0, role: "application", "aria-roledescription": "X-ray",
    "data-lm-suppress-shortcuts": "true",
    "aria-label": "X-ray. Up and down: choose a row. Left and right: follow its line. Enter: unfold. S: where each fact was read." });
  const drawing = svg("svg", { class: "evo-drawing", "aria-hidden": "true" }), hatch = unique("hatch");
  const back = svg("g"), lines = svg("g", { fill: "none" }), front = svg("g");
  drawing.append(svg("defs", {}, hatching(hatch)), back, lines, front);
  stage.append(drawing);
  const tip = tooltip(stage), key = legend(root, language);
  const toggle = (name, about, action) => {
    const node = button(name, about, () => { set(node, { "aria-pressed": String(action()) }); ask(); });
    return set(node, { "aria-pressed": "false", "aria-label": null });
  };
  let all = false, sources = false;
  const unfold = toggle("All descriptors", "Unfold descriptors such as pipes and /dev/null", () => { opened.clear(); return (all = !all); });
  const where = toggle("Sources", "Sources: show where each fact was read", () => (sources = !sources));
  unfold.classList.add("evo-unfold");
  where.classList.add("evo-where");
  root.append(html("header", { class: "evo-header" }, title, chip, html("div", { class: "evo-tools" }, unfold, where,
    button("SVG", "SVG: save the picture", () => saveSvg(picture(), slug(title.textContent))),
    button("PNG", "PNG: save the picture", () => savePng(picture(), slug(title.textContent))))), stage, key.node, sentence, spoken);
  host.append(root);
  const picture = () => standalone(root, drawing, title.textContent, read().sentence);

  const opened = new Set(); // keys of unfolded rows
  let width = 0, height = 0, frame = 0, spokenAt = 0, chosen = null, drawn = "";
  let places = new Map(); // key → { row, column, x, y, width, height, left, right, node }
  let seen = null, changedAt = new Map(); // key → what it said; key → when that changed

  // --- places: blocks stacked in columns, a client beside its connection ---
  function columnsAt(full) {
    const w = Math.min(full, M.widest);
    if (full < M.narrow) {
      const processes = Math.round(w * 0.43), kernel = Math.round(w * 0.46);
      return { narrow: true, total: w, processes: [0, processes], kernel: [w - kernel, kernel] };
    }
    const processes = Math.round(clamp(w * 0.33, ...M.processes)), kernel = Math.round(clamp(w * 0.36, ...M.kernel));
    const clients = Math.round(clamp(w * 0.18, ...M.clients)), first = Math.round((w - processes - kernel - clients) * 0.6);
    return { narrow: false, total: w, processes: [0, processes], kernel: [processes + first, kernel], clients: [w - clients, clients] };
  }
  function open(rows) {
    return rows.flatMap((row) => (row.inner && (all !== opened.has(row.key)) ? [{ ...row, open: true }, ...row.inner] : [row]));
  }
  function straight(block) { // where a block would start for its first line to run level
    let y = M.pad;
    for (const row of block.rows) {
      const h = M.rows[row.kind] || M.rows.fd;
      const from = (linked[row.key] || []).map((each) => places.get(each.from)).find((place) => place && place.column === "processes");
      if (from) return from.y + from.height / 2 - h / 2 - y;
      y += h;
    }
    return 0;
  }
  const quoted = (column, room) => (sources ? column.sources.flatMap(([name, path]) => [...wrap(`${name}: ${path}`, Math.floor(room / 6.8)), ""]) : []);
  function layout(scene) {
    const at = columnsAt(width), blocks = [], heads = [];
    places = new Map();
    height = 0;
    const below = Math.max(0, ...scene.columns.map((column) => quoted(column, (at[column.id] || at.kernel)[1]).reduce((y, line) => y + (line ? 14 : 5), 0)));
    for (const column of scene.columns) {
      let list = column.blocks;
      if (at.narrow && column.id === "clients") {
        const beside = new Map(list.flatMap((b) => b.rows).map((row) => [row.beside, row]));
        for (const place of places.values()) if (beside.has(place.row.key)) place.client = beside.get(place.row.key);
        list = list.map((b) => ({ ...b, rows: b.rows.filter((row) => !row.beside) })).filter((b) => b.rows.length);
        if (!list.length) continue;
      }
      const ends = []; // lower edges of the cards above, by depth in the tree
      const slot = at[column.id] || at.kernel, first = column.id in at ? 0 : height;
      const head = { column, x: slot[0], width: slot[1], y: first ? first + M.gap : 0, sources: [] };
      let y = head.y + M.top;
      if (!first) y += below;
      let down = head.y + M.top;
      if (column.id in at) for (const text of quoted(column, slot[1])) { head.sources.push([down - 1, text]); down += text ? 14 : 5; }
      heads.push(head);
      for (const block of list) {
        const indent = Math.min((block.depth || 0) * 12, 36), carded = column.id !== "clients";
        const x = slot[0] + indent, w = slot[1] - indent;
        if (column.id === "kernel" && y > head.y + M.top + below) y = Math.max(y, straight(block));
        const top = y, marked = block.rows.some((row) => row.look);
        y += carded ? M.pad : 0;
        for (const row of open(block.rows)) {
          const beside = row.beside && places.get(row.beside), h = row.kind === "queue" && w - 16 - roomFor(row.text) <= 50 ? 36 : M.rows[row.kind] || M.rows.fd;
          if (beside) { // next to its connection, never over another
            y = Math.max(y, beside.y + beside.height / 2 - h / 2);
          }
          places.set(row.key, { row, column: column.id, x: x + (carded ? 8 : 2), y, width: w - (carded ? 16 : 2), height: h, left: x, right: x + w, marked });
          y += h;
        }
        y += carded ? M.pad : 0;
        if (carded) blocks.push({ block, x, y: top, width: w, height: y - top, root: ends[(block.depth || 0) - 1] });
        if (column.id === "processes") { ends.length = block.depth || 0; ends.push({ x: x + 5, y }); }
        y += M.gap;
      }
      height = Math.max(height, y);
    }
    height = Math.max(height, M.top + 40);
    return { at, blocks, heads };
  }

  // --- rows ---
  const right = (p, text, attributes = {}) => text ? label(p.x + p.width, 0, text, { "text-anchor": "end", fill: paint("soft"), ...attributes }) : null;
  function fit(x, text, room, attributes = {}, each = 6.3) {
    const most = Math.floor(room / each), cut = text.length > most ? text.slice(0, Math.max(1, most - 1)) + "…" : text;
    return label(x, 0, cut, attributes);
  }
  const roomFor = (text, each = 6.3) => (text ? text.length * each + 8 : 0);
  const marked = (node, look) => set(node, { class: "evo-mark", "data-key": look });
  function mark(look, x0, x1, thick, text = "") {
    const [table, name] = look.split(".");
    if (table === "ends") return marked(svg("g", { transform: `translate(${(x0 + x1) / 2},0)` }, drawGlyph(language.ends[name], language.glyphs[language.ends[name].shape])), look);
    const entry = table === "sleeps" ? language.process.asleep : language[table][name];
    const made = drawMark(entry, thick, { text, sleep: language.sleeps[name] || language.sleeps.other, hatch }, { ...language.layout, room: 0 });
    made.place(x0, x1);
    return marked(made.node, look);
  }
  const DRAW = {
    process(p, row) {
      const busy = row.look === "process.running", halted = row.look === "process.stopped", dead = row.look === "process.zombie";
      const box = svg("rect", { x: p.x, y: -8, width: 18, height: 16, rx: 3, fill: busy ? paint("busy") : halted ? `url(#${hatch})` : dead ? paint("page") : paint("pale"),
        stroke: paint(busy || halted || dead ? "busy" : "quiet"), "stroke-width": 1.2 });
      const letter = label(p.x + 9, 0.5, row.letter, { "text-anchor": "middle", ...BOLD, fill: paint(busy ? "onmark" : "ink"), class: halted ? "evo-note" : null });
      const narrow = p.width < 170;
      return [box, letter, fit(p.x + 25, row.text, p.width - 25 - (narrow ? 0 : roomFor(row.note)), { class: "evo-name", ...BOLD }, 6.9), narrow ? null : right(p, row.note)];
    },
    thread: (p, row) => [mark(row.look, p.x, p.x + p.width, 15, fits(row.text, p.width - 12, 6.8))],
    fd(p, row) {
      const loud = row.key in linked, dot = loud ? svg("circle", { cx: p.right, cy: 0, r: 3, fill: paint("page"), stroke: paint("ink"), "stroke-width": 1.4 }) : null;
      const note = p.width < 170 ? "" : row.note;
      return [label(p.x + 22, 0, String(row.fd), { "text-anchor": "end", class: "evo-call", fill: paint("soft") }),
        fit(p.x + 29, p.width < 170 ? row.text.replace("connection", "port") : row.text, p.width - 29 - roomFor(note, 6.8)), note ? right(p, note, { class: "evo-call", x: p.x + p.width - 4 }) : null, dot];
    },
    quiet(p, row) {
      const arrow = svg("path", { d: row.open ? "M-3.5 -2L0 2.5L3.5 -2" : "M-2 -3.5L2.5 0L-2 3.5", transform: `translate(${p.x + 16},0)`, fill: "none", stroke: paint("soft"), "stroke-width": 1.5 });
      const both = p.width - 29 >= row.text.length * 6.3 + roomFor(row.note);
      return [arrow, fit(p.x + 29, row.text, p.width - 29, { fill: paint("soft") }), both ? right(p, row.note) : null];
    },
    words: (p, row) => [fit(p.x, row.text, p.width, { fill: paint("soft") })],
    heading: (p, row) => [fit(p.x, row.text, p.width, { class: "evo-heading", fill: paint("soft") })],
    listener: (p, row) => p.width < 200 ? [fit(p.x, row.text, p.width, { class: "evo-name", ...BOLD }, 6.9)]
      : [label(p.x, 0, row.text, { class: "evo-name", ...BOLD }), right(p, row.note)],
    epoll: (p, row) => [label(p.x, 0, row.text, { class: "evo-name", ...BOLD }), right(p, row.note)],
    queue(p, row) {
      const words = roomFor(row.text), few = p.width - words > 50, room = few ? p.width - words : p.width, y = few ? 0 : -9;
      const nodes = slots(p.x, y, room, row);
      nodes.push(label(p.x + p.width, few ? 0 : 9, row.text, { "text-anchor": "end", fill: paint(row.wrong ? "fail" : row.length ? "queued" : "soft"), ...(row.length ? BOLD : {}) }));
      return nodes;
    },
    conn(p, row) {
      const narrow = p.width < 190, pid = narrow ? "" : row.pid, long = pid ? pid.length * 6.6 + 10 : 22;
      const text = p.client && !p.client.text.startsWith("port") ? p.client.text : narrow ? row.text.replace("port ", "") : row.text;
      const note = row.note || (p.client ? p.client.note : ""), room = p.width - long - 8;
      const left = Math.min(roomFor(text), room);
      return [row.look ? mark(row.look, p.x, p.x + long, 13, pid) : null, fit(p.x + long + 7, text, left),
        note && room - left >= 6.3 * Math.min(note.length, 11) ? right(p, fits(note, room - left), { fill: paint(row.wrong ? "fail" : row.note ? "ink" : "soft") }) : null, end(p)];
    },
    more(p, row) {
      const text = p.column === "kernel" && row.look ? 29 : 0;
      const note = fits(row.note, p.width - text - roomFor(row.text));
      return [text ? mark(row.look, p.x, p.x + 22, 13) : null, fit(p.x + text, row.text, p.width - text, BOLD),
        note.length > 3 ? right(p, note) : null, text ? end(p) : p.column === "processes" && row.key in linked ? svg("circle", { cx: p.right, cy: 0, r: 3, fill: paint("page"), stroke: paint("ink"), "stroke-width": 1.4 }) : null];
    },
    watch(p, row) {
      let x = p.x;
      const nodes = [];
      for (const flag of row.chips.length ? row.chips : ["–"]) {
        const long = flag.length * 6.8 + 8;
        nodes.push(svg("rect", { x, y: -7.5, width: long, height: 15, rx: 3, fill: paint(flag === "IN" || flag === "OUT" ? "pale" : "page"), stroke: paint("quiet"), "stroke-width": 1, "data-flag": flag }),
          label(x + long / 2, 0.5, flag, { "text-anchor": "middle", class: "evo-call" }));
        x += long + 4;
      }
      const note = row.note && p.x + p.width - x > 110 ? row.note : "";
      nodes.push(fit(x + 3, row.text, p.x + p.width - x - 3 - roomFor(note)), right(p, note, { fill: paint(row.wrong ? "fail" : "soft") }));
      return nodes;
    },
    client(p, row) {
      const shift = p.marked ? 22 : 0, note = (row.text.length + row.note.length) * 6.3 + 8 + shift <= p.width ? row.note : "";
      return [row.look ? mark(row.look, p.x, p.x + 18, 12) : null, fit(p.x + shift + 2, row.text, p.width - shift - (note ? note.length * 6.3 + 4 : 0)), right(p, note)];
    },
  };
  const fits = (text, room, each = 6.3) => { const most = Math.floor(room / each); return text.length > most ? text.slice(0, Math.max(1, most - 1)) + "…" : text; };
  const end = (p) => ((linked[p.row.key] || []).some((each) => each.kind !== "tcp") ? svg("circle", { cx: p.left, cy: 0, r: 2.6, fill: paint("ink") }) : null);
  let linked = {};
  function slots(x, y, room, row) { // one box a place; where there are too many, a torn edge says so
    const pitch = 10, needed = Math.max(row.limit ?? 0, row.length), space = Math.floor((room - 4) / pitch), nodes = [];
    const shown = Math.max(1, Math.min(needed || 1, needed > space ? space - 1 : space));
    const share = row.length > shown ? shown : row.length;
    for (let i = 0; i < shown; i++) {
      const full = i < share, over = row.limit !== null && i >= row.limit;
      nodes.push(svg("rect", { x: x + i * pitch + 0.75, y: y - 6.25, width: 8, height: 12.5, rx: 1.5, "data-slot": full ? "taken" : "free",
        fill: paint(full ? (over ? "fail" : "queued") : "page"), "fill-opacity": full ? 0.45 : null, stroke: paint(full ? (over ? "fail" : "queued") : "quiet"), "stroke-width": full ? 1.6 : 0.8 }));
    }
    if (row.limit !== null && row.limit < shown) nodes.push(svg("line", { x1: x + row.limit * pitch - 0.5, x2: x + row.limit * pitch - 0.5, y1: y - 9, y2: y + 9, stroke: paint("fail"), "stroke-width": 1.5 }));
    if (needed > shown) nodes.push(label(x + shown * pitch + 2, y, "…", { fill: paint("soft") }));
    return row.length ? [marked(svg("g", {}, ...nodes), "client.queued")] : nodes;
  }

  function draw() {
    frame = 0;
    const state = read();
    if (!width || !state.columns.length) return;
    const now = performance.now(), text = JSON.stringify([state, width, all, sources, [...opened]]);
    if (text !== drawn) {
      drawn = text;
      notice(state, now);
      paintAll(state, now);
      const { model, pid, address } = state.server;
      title.textContent = pid ? `X-ray of ${model ? `the ${model} server` : "a server"}` : "X-ray";
      chip.textContent = [state.recorded ? "recorded" : "", address || "", state.t === null || state.t === undefined ? "" : `at ${time(state.t)}`].filter(Boolean).join(" · ");
      chip.hidden = !chip.textContent;
      root.toggleAttribute("data-recorded", Boolean(state.recorded));
      key.show(new Set([...front.querySelectorAll(".evo-mark")].map((node) => node.dataset.key)));
      key.light();
    }
    say();
  }
  function notice(state, now) { // what differs from the sample before glows for a moment
    const rows = state.columns.flatMap((c) => c.blocks.flatMap((b) => b.rows.flatMap((row) => [row, ...(row.inner || [])])));
    const said = new Map(rows.map((row) => [row.key, [row.text, row.note, row.letter, row.length, row.look, row.pid, row.chips].join("|")]));
    if (seen) for (const [name, words] of said) if (seen.get(name) !== words) changedAt.set(name, now);
    for (const [name, t] of changedAt) if (now - t > GLOW || !said.has(name)) changedAt.delete(name);
    seen = said;
  }
  function paintAll(state, now) {
    linked = {};
    for (const each of state.lines) for (const name of [each.from, each.to]) (linked[name] = linked[name] || []).push(each);
    const plan = layout(state);
    back.replaceChildren();
    lines.replaceChildren();
    front.replaceChildren();
    for (const head of plan.heads) {
      back.append(label(head.x + 1, head.y + 9, head.column.title, { class: "evo-heading", fill: paint("soft") }),
        svg("line", { x1: head.x, x2: head.x + head.width, y1: head.y + 19.5, y2: head.y + 19.5, stroke: paint("rule") }));
      for (const [y, words] of head.sources) back.append(label(head.x + 1, y + 5, words, { class: "evo-source", fill: paint("soft") }));
      if (!head.column.blocks.length) back.append(label(head.x + 1, head.y + M.top + 10, head.column.id === "clients" ? "nobody is here" : "nothing seen", { fill: paint("soft") }));
    }
    for (const card of plan.blocks) {
      if (card.root) back.append(svg("path", { d: `M${card.root.x} ${card.root.y}V${card.y + M.pad + 12}H${card.x}`, fill: "none", stroke: paint("quiet"), "stroke-width": 1.2 }));
    }
    for (const card of plan.blocks) back.append(svg("rect", { x: card.x + 0.5, y: card.y + 0.5, width: card.width - 1, height: card.height - 1, rx: 5, fill: paint("page"), stroke: paint("rule"), "data-block": card.block.key }));
    for (const each of state.lines) drawLine(each);
    for (const [name, place] of places) drawRow(name, place, now);
    set(drawing, { width: plan.at.total, height, viewBox: `0 0 ${plan.at.total} ${height}` });
    if (chosen) choose(places.has(chosen) ? chosen : null, false);
  }
  function drawLine({ from, to, kind, n }) {
    const a = places.get(from), b = places.get(to);
    if (!a || !b) return;
    const [x0, x1] = kind === "tcp" ? [a.left - 2, b.right] : [a.right + 3, b.left];
    const y0 = a.y + a.height / 2, y1 = b.y + b.height / 2, bend = Math.max(14, Math.abs(x1 - x0) * 0.5) * Math.sign(x1 - x0);
    const look = LINES[kind] || LINES.client;
    lines.append(svg("path", { ...look, stroke: paint(look.stroke), "stroke-width": n > 1 && kind !== "listener" ? Math.min(5, look["stroke-width"] + Math.log2(n) * 0.4) : look["stroke-width"],
      d: `M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`, "data-line": kind, "data-from": from, "data-to": to }));
  }
  function drawRow(name, place, now) {
    const { row } = place, age = changedAt.has(name) ? now - changedAt.get(name) : GLOW;
    const group = svg("g", { transform: `translate(0,${place.y + place.height / 2})`, "data-row": name, "data-kind": row.kind, "data-wrong": Boolean(row.wrong) });
    if (age < GLOW && !calm()) group.append(svg("rect", { class: "evo-glow", "data-live": "", x: Math.max(place.left, place.x - 5), y: -place.height / 2, width: Math.min(place.width + 10, place.right - place.left), height: place.height, rx: 4, style: `animation-delay:-${Math.round(age)}ms` }));
    group.append(svg("rect", { x: place.left, y: -place.height / 2, width: place.right - place.left, height: place.height, fill: "none", "pointer-events": "all", "data-live": "" }));
    group.append(...DRAW[row.kind](place, row).filter(Boolean));
    place.node = group;
    front.append(group);
  }

  // --- what a row says, and what it hangs together with ---
  function related(name) {
    const found = new Set([name, ...(places.get(name)?.row.watches || [])]);
    if (name.startsWith("listener:")) found.add(name.replace("listener", "queue"));
    const follow = (from, kinds) => { for (const each of linked[from] || []) if (kinds.includes(each.kind)) { found.add(each.from); found.add(each.to); } };
    follow(name, ["listener", "client", "epoll", "tcp"]);
    for (const each of [...found]) if (each !== name || name.startsWith("fd")) follow(each, name.startsWith("listener") || name.startsWith("watch") ? ["client"] : ["client", "tcp"]);
    return found;
  }
  function relate(name) {
    const found = name ? related(name) : new Set(), some = found.size > 1;
    root.toggleAttribute("data-relating", some);
    for (const [each, place] of places) place.node.toggleAttribute("data-related", found.has(each));
    for (const line of lines.children) line.toggleAttribute("data-related", found.has(line.dataset.from) && found.has(line.dataset.to));
  }
  function inform(name, x, y, aloud) {
    const place = places.get(name);
    if (!place) { tip.hide(); relate(null); return; }
    const { row } = place;
    const client = place.client ? [`client: ${place.client.text} ${place.client.note}`] : [];
    tip.show(x, y, row.head, [...row.facts, ...client], row.words);
    const box = stage.querySelector(".evo-tip"), above = place.y - box.offsetHeight - 6;
    if (box.offsetTop < place.y + place.height && above >= 0) box.style.top = `${above}px`; // never over the row it tells of
    relate(name);
    if (aloud) spoken.textContent = [row.head, ...row.facts, ...client, row.words].filter(Boolean).join(". ");
  }
  function choose(name, aloud = true) {
    for (const place of places.values()) place.node.toggleAttribute("data-chosen", place.row.key === name);
    chosen = name;
    root.toggleAttribute("data-choosing", Boolean(name));
    for (const old of back.querySelectorAll(".evo-picked")) old.remove();
    const place = places.get(name);
    if (!place) { if (aloud) inform(null); return; }
    back.append(svg("rect", { class: "evo-picked", "data-live": "", x: place.x - 5, y: place.y, width: place.width + 10, height: place.height, rx: 4 }));
    if (aloud) inform(name, place.x + 40, place.y + place.height - 8, true);
  }
  const order = () => [...places.keys()].filter((name) => places.get(name).row.kind !== "heading");
  function step(way) {
    const names = order();
    if (!names.length) return;
    const here = names.indexOf(chosen), column = here < 0 ? places.get(names[0]).column : places.get(chosen).column;
    const mine = names.filter((name) => places.get(name).column === column);
    choose(here < 0 ? mine[0] : mine[clamp(mine.indexOf(chosen) + way, 0, mine.length - 1)]);
  }
  function across(way) {
    const place = places.get(chosen);
    if (!place) return step(1);
    const ids = ["processes", "kernel", "clients"], aim = ids[ids.indexOf(place.column) + way];
    const there = order().filter((name) => places.get(name).column === aim);
    const tied = there.filter((name) => (linked[chosen] || []).some((each) => each.from === name || each.to === name));
    const nearest = (names) => names.reduce((best, name) => (Math.abs(places.get(name).y - place.y) < Math.abs(places.get(best).y - place.y) ? name : best));
    if (there.length) choose(nearest(tied.length ? tied : there));
  }
  function flip(name) {
    if (!places.get(name)?.row.inner) return;
    if (opened.has(name)) opened.delete(name); else opened.add(name);
    ask();
  }
  const KEYS = {
    ArrowUp: () => step(-1), ArrowDown: () => step(1), ArrowLeft: () => across(-1), ArrowRight: () => across(1),
    Enter: () => flip(chosen), " ": () => flip(chosen), s: () => where.click(), Escape: () => choose(null),
  };
  stage.addEventListener("keydown", (event) => {
    const action = !event.ctrlKey && !event.metaKey && !event.altKey && KEYS[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  stage.addEventListener("blur", () => choose(null));
  const under = (event) => {
    const box = drawing.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const hit = [...places].find(([, p]) => x >= p.left && x <= p.right && y >= p.y && y < p.y + p.height);
    return [hit && hit[1].row.kind !== "heading" ? hit[0] : null, x, y];
  };
  stage.addEventListener("pointermove", (event) => {
    const [name, x, y] = under(event);
    stage.style.cursor = places.get(name)?.row.inner ? "pointer" : "";
    inform(name, x, y, false);
  });
  stage.addEventListener("pointerleave", () => inform(null));
  stage.addEventListener("click", (event) => flip(under(event)[0]));

  function say() { // shown at once; spoken only when the figures have been at rest for two seconds
    const words = read().sentence || "";
    if (sentence.textContent === words) return;
    set(sentence, { "aria-live": Date.now() - spokenAt < 2000 ? "off" : "polite" });
    sentence.textContent = words;
    spokenAt = Date.now();
  }
  function ask() {
    if (!frame) frame = requestAnimationFrame(draw);
  }
  const watch = new ResizeObserver(() => {
    const room = Math.floor(root.clientWidth);
    if (room && room !== width) { width = room; ask(); }
  });
  watch.observe(root);
  return { changed: ask, close() { watch.disconnect(); cancelAnimationFrame(frame); } };
}
