// The diff: two texts side by side, or where there is no room below each other; Python has compared them.

const SIGN = { same: "=", kept: "=", changed: "≈", new: "+", gone: "−" };
const MEANING = { same: "as before", kept: "inherited", changed: "changed", new: "new", gone: "gone" };
const NARROW = 640; // px: below it lines stand below each other

export default () => ({
  render({ model, el }) {
    const close = diffView(el, model);
    return close;
  },
});

function diffView(host, model) {
  const root = html("section", { class: "evo evo-diff", "data-view": "diff", "aria-label": "Diff" });
  const title = html("h4", { class: "evo-title" }), sentence = html("p", { class: "evo-sentence" });
  const all = html("button", { type: "button", class: "evo-button", "aria-pressed": "false", title: "Show what is as before, too (A)", onclick: () => unfold(!opened) }, "All lines");
  const tools = html("div", { class: "evo-tools" }, all,
    button(ICONS.back(), "Previous change (P)", () => go(-1)), button(ICONS.on(), "Next change (N)", () => go(1)),
    button("SVG", "SVG: save the picture", () => ask("svg")), button("PNG", "PNG: save the picture", () => ask("png")));
  const calls = html("dl", { class: "evo-calls" });
  const outline = html("div", { class: "evo-outline", role: "group", "aria-label": "Methods: choose one to see it" });
  const stage = html("div", { class: "evo-stage", tabindex: 0, role: "group", "data-lm-suppress-shortcuts": "true",
    "aria-label": "The two texts. N and P: next and previous change. A: all lines. Tab: to the folded lines." });
  const spoken = html("p", { class: "evo-spoken", "aria-live": "polite" });
  const signs = html("p", { class: "evo-signs" });
  for (const [sign, word] of [["+", "new"], ["−", "gone"], ["↕", "only moved"]]) signs.append(html("span", {}, html("b", {}, sign), ` ${word}`));
  root.append(html("header", { class: "evo-header" }, title, tools), sentence, calls, outline, stage, signs, spoken);
  host.append(root);

  let wide = null, chosen = -1, opened = false, changes = [], places = new Map();
  const scene = () => model.get("scene");

  // --- one line of one side ---
  function number(side, kind, moved, quiet) {
    const sign = moved ? "↕" : kind === "new" ? "+" : kind === "gone" ? "−" : "";
    const word = moved ? "only moved" : kind === "new" ? "new" : kind === "gone" ? "gone" : null;
    return html("td", { class: "evo-n", "data-side": kind, "data-moved": moved, "data-quiet": quiet },
      sign ? html("b", { title: word, "aria-label": word, role: "img" }, sign) : null, String(side.n));
  }
  function code(side, kind, moved, quiet) {
    const cell = html("td", { class: "evo-line", "data-side": kind, "data-moved": moved, "data-quiet": quiet });
    const text = side.pieces.map((piece) => piece[1]).join(""), indent = text.length - text.trimStart().length;
    cell.style.setProperty("--in", indent);
    let into = cell, marked = false, at = 0;
    for (const [look, words, differs] of side.pieces) {
      if (differs !== marked) {
        into = differs ? html(kind === "gone" ? "del" : "ins", {}) : cell;
        if (differs) cell.append(into);
        marked = differs;
      }
      if (at < indent) into.append(html("span", { class: "evo-in" }, words.slice(0, indent - at)));
      const rest = breakable(words.slice(Math.max(0, indent - at)));
      into.append(...(look ? [html("span", { class: `evo-code-${look}` }, ...rest)] : rest));
      at += words.length;
    }
    if (!text) cell.append(" ");
    return cell;
  }
  const breakable = (words) => words.split(/(?<=[.(])/).flatMap((part, i) => (i ? [html("wbr", {}), part] : [part]));
  function cells(row, which) {
    const side = row?.[which];
    if (!side) return [html("td", { class: "evo-n" }), html("td", { class: "evo-line" })];
    const kind = row.kind === "same" || row.kind === "kept" || row.kind === "prose" ? null : which === "old" ? "gone" : "new";
    return [number(side, kind, row.moved, row.quiet), code(side, kind, row.moved, row.quiet)];
  }
  const line = (kind, ...parts) => html("tr", { "data-kind": kind }, ...parts.flat());

  // --- rows: what is gone and what is new between two common lines stands beside or below each other ---
  function lines(rows) {
    const made = [];
    let gone = [], fresh = [];
    const flush = () => {
      if (wide) for (let i = 0; i < Math.max(gone.length, fresh.length); i++) made.push(line(gone[i] ? gone[i].kind : fresh[i].kind, cells(gone[i], "old"), cells(fresh[i], "new")));
      else made.push(...gone.map((row) => line(row.kind, cells(row, "old"))), ...fresh.map((row) => line(row.kind, cells(row, "new"))));
      gone = [];
      fresh = [];
    };
    for (const row of rows) {
      const paired = row.old && row.new;
      if (!paired) { (row.old ? gone : fresh).push(row); continue; }
      if (!wide && row.kind === "changed") { gone.push(row); fresh.push(row); continue; }
      flush();
      made.push(wide ? line(row.kind, cells(row, "old"), cells(row, "new")) : line(row.kind, cells(row, "new")));
    }
    flush();
    return made;
  }
  function folded(segment) {
    const body = html("tbody", { hidden: !opened }), bar = html("tbody");
    const mark = html("i", { "aria-hidden": "true" }, opened ? "▾" : "▸");
    const toggle = html("button", { type: "button", class: "evo-fold", "aria-expanded": String(opened), onclick: () => show(body.hidden) }, mark, segment.said);
    const show = (open) => {
      if (open && !body.children.length) body.append(...lines(segment.rows));
      body.hidden = !open;
      mark.textContent = open ? "▾" : "▸";
      set(toggle, { "aria-expanded": String(open) });
    };
    if (opened) body.append(...lines(segment.rows));
    bar.append(html("tr", { class: "evo-fold-row" }, html("td", { colspan: wide ? 4 : 2 }, toggle)));
    body.show = show;
    return [bar, body];
  }
  function columns() {
    const one = () => [html("col", { class: "evo-n" }), html("col")];
    return html("colgroup", {}, ...(wide ? [...one(), ...one()] : one()));
  }
  const heading = (side) => html("th", { scope: "col", colspan: 2 }, html("strong", {}, side.name), side.head);

  function draw() {
    const { old, new: fresh, words, figures, parts } = scene();
    title.textContent = `${old.name} → ${fresh.name}`;
    sentence.replaceChildren(words ? `${words} ` : "", html("span", { class: "evo-figures" }, figures));
    const told = scene().calls;
    calls.replaceChildren(...[["new", "calls for the first time"], ["gone", "calls no more"]].filter(([kind]) => told[kind].length).flatMap(([kind, word]) =>
      [html("dt", {}, word), html("dd", { class: `evo-${kind}` }, ...told[kind].flatMap((name) => [html("code", {}, name), " "]))]));
    calls.hidden = !calls.children.length;
    const table = html("table", { class: "evo-code" }, columns(), html("thead", {}, wide ? html("tr", {}, heading(old), heading(fresh)) :
      html("tr", {}, html("th", { scope: "col", colspan: 2 }, html("strong", {}, `− ${old.name}`), old.head, html("strong", {}, `+ ${fresh.name}`), fresh.head))));
    places = new Map();
    for (const [index, part] of parts.entries()) {
      part.segments.forEach((segment, i) => {
        const bodies = segment.fold ? folded(segment) : [html("tbody", {}, ...lines(segment.rows))];
        if (i === 0) bodies[0].prepend(html("tr", { class: "evo-gap", "aria-hidden": "true" }, html("td", { colspan: wide ? 4 : 2 })));
        if (i === 0) places.set(index, bodies);
        for (const body of bodies) set(body, { "data-part": part.name, "data-part-kind": part.kind });
        table.append(...bodies);
      });
    }
    stage.replaceChildren(table);
    outline.replaceChildren(...parts.flatMap((part, index) => {
      if (part.type !== "method") return [];
      const word = MEANING[part.kind] + (part.moved ? ", elsewhere in the file" : ""), name = part.was ? `${part.was} → ${part.name}` : part.name;
      return [html("button", { type: "button", class: "evo-key", "data-kind": part.kind, title: word, "aria-label": `${name}: ${word}`, onclick: () => visit(index) },
        html("b", { "aria-hidden": "true" }, SIGN[part.kind]), name)];
    }));
    collect();
  }
  function collect() { // a change is a run of rows that are not as before
    changes = [];
    let run = null;
    for (const row of stage.querySelectorAll("tbody:not([hidden]) > tr")) {
      const differs = ["changed", "new", "gone"].includes(row.dataset.kind);
      if (differs && run && run.part === row.parentNode.dataset.part) run.rows.push(row);
      else if (differs) changes.push((run = { part: row.parentNode.dataset.part, rows: [row] }));
      if (!differs) run = null;
    }
    set(root, { "data-changes": changes.length });
  }
  function unfold(open) {
    opened = open;
    set(all, { "aria-pressed": String(open) });
    for (const body of stage.querySelectorAll("tbody")) body.show?.(open);
    collect();
  }
  function visit(index) {
    const bodies = places.get(index);
    bodies[bodies.length - 1].show?.(true);
    bodies[0].scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
    bodies[bodies.length - 1].scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
    collect();
  }
  function go(way) {
    if (!changes.length) return;
    for (const row of changes[chosen]?.rows || []) row.toggleAttribute("data-chosen", false);
    chosen = (chosen < 0 && way < 0 ? changes.length - 1 : chosen + way + changes.length) % changes.length;
    const { part, rows } = changes[chosen];
    for (const row of rows) row.toggleAttribute("data-chosen", true);
    rows[0].scrollIntoView({ block: "nearest" });
    const count = (side) => rows.reduce((sum, row) => sum + row.querySelectorAll(`.evo-line[data-side="${side}"]`).length, 0);
    spoken.textContent = `Change ${chosen + 1} of ${changes.length}, in ${part}: ${count("new")} lines new, ${count("gone")} gone. ${rows.map((row) => row.lastChild.textContent.trim()).join("; ").slice(0, 300)}`;
    set(root, { "data-chosen": chosen + 1 });
  }

  const KEYS = { n: () => go(1), p: () => go(-1), a: () => unfold(!opened) };
  stage.addEventListener("keydown", (event) => {
    const action = !event.ctrlKey && !event.metaKey && !event.altKey && KEYS[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  const ask = (as) => model.send({ kind: "svg please", as, dark: document.body.dataset.jpThemeLight === "false" });
  const hear = (message) => {
    const name = slug(`${scene().old.name}-${scene().new.name}`);
    if (message.kind === "svg") (message.as === "png" ? savePng : saveSvg)(message.svg, name);
  };
  model.on("msg:custom", hear);
  const redraw = () => { chosen = -1; draw(); };
  const watch = new ResizeObserver(() => {
    const room = root.clientWidth, now = room >= NARROW;
    if (room && now !== wide) { wide = now; set(root, { "data-wide": wide }); redraw(); }
  });
  watch.observe(root);
  model.on("change:scene", redraw);
  return () => { watch.disconnect(); model.off("change:scene", redraw); model.off("msg:custom", hear); };
}
