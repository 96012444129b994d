// What all views share: small makers of nodes, the marks of the visual language, legend, tooltip, export.
// Python puts this text before a view's own file, so that each view is one self-contained module.

const SVG = "http://www.w3.org/2000/svg";
const paint = (name) => `var(--evo-${name})`;
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
let made = 0;
const unique = (name) => `evo-${name}-${++made}-${Math.floor(Math.random() * 1e9).toString(36)}`;

function set(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) node.removeAttribute(key);
    else node.setAttribute(key, value === true ? "" : value);
  }
  return node;
}
function make(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else set(node, { [key]: value });
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const svg = (name, attributes, ...children) => make(document.createElementNS(SVG, name), attributes, children);
const html = (name, attributes, ...children) => make(document.createElement(name), attributes, children);
const label = (x, y, text, attributes = {}) =>
  svg("text", { x, y, "dominant-baseline": "central", fill: paint("ink"), ...attributes }, text);
const button = (icon, name, action) =>
  html("button", { type: "button", class: `evo-button evo-${name.split(" ")[0].toLowerCase()}`, "aria-label": name, title: name, onclick: action }, icon);

function icon(d, filled) {
  const stroke = { fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round" };
  return svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
    svg("path", { d, ...(filled ? { fill: "currentColor" } : stroke) }));
}
const ICONS = {
  play: () => icon("M4.5 2.8v10.4L13 8Z", true), pause: () => icon("M4 3h3v10H4ZM9 3h3v10H9Z", true),
  back: () => icon("M11 3.5L5.5 8L11 12.5M4 3.5v9"), on: () => icon("M5 3.5L10.5 8L5 12.5M12 3.5v9"),
  closer: () => icon("M8 3.5v9M3.5 8h9"), wider: () => icon("M3.5 8h9"), all: () => icon("M2.5 4v8M13.5 4v8M5 8h6M6.5 6L4.8 8l1.7 2M9.5 6l1.7 2l-1.7 2"),
};

// --- figures: two significant digits on marks, exact ones in tooltips ---
function two(value) {
  if (value >= 99.5) return value < 1000 ? String(Number(value.toPrecision(2))) : value.toFixed(0);
  return value.toFixed(value >= 9.95 ? 0 : 1);
}
function time(seconds) {
  if (seconds < 0) return "−" + time(-seconds);
  if (seconds >= 0.9995) return `${two(seconds)} s`;
  return seconds < 0.00005 ? "0 s" : `${two(seconds * 1000)} ms`;
}
function exact(seconds) {
  const ms = seconds * 1000, size = Math.abs(ms);
  if (size < 100) return `${ms.toFixed(size < 1 ? 3 : size < 10 ? 2 : 1)} ms`;
  return `${seconds.toFixed(3)} s`;
}
const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

// --- marks: drawn around y = 0; place(x0, x1) moves them ---
const WIDE = { sans: 6.6, mono: 6.8 };
function bar(height, attributes) {
  const node = svg("rect", { y: -height / 2, height, rx: 2, ...attributes });
  return { node, at: (x0, x1, inset = 0) => set(node, { x: x0 + inset, width: Math.max(0.5, x1 - x0 - 2 * inset) }) };
}
function line(attributes) {
  const node = svg("line", { y1: 0, y2: 0, "stroke-width": 1.5, ...attributes });
  return { node, at: (x0, x1) => set(node, { x1: x0, x2: x1 }) };
}

const SHAPES = {
  dash(look) {
    const body = line({ stroke: paint(look.colour), "stroke-dasharray": "3 2.5" });
    return [body.node, body.at];
  },
  line(look) {
    const body = line({ stroke: paint(look.colour) });
    return [body.node, body.at];
  },
  hollow(look, height) {
    const body = bar(height - 1.5, { fill: paint("page"), stroke: paint(look.colour), "stroke-width": 1.5 });
    return [body.node, (x0, x1) => body.at(x0, x1, 0.75)];
  },
  half(look, height) {
    const body = bar(height / 2 - 1, { fill: paint("pale"), stroke: paint(look.colour), "stroke-width": 1, rx: 1.5 });
    return [body.node, (x0, x1) => body.at(x0, x1, 0.5)];
  },
  solid(look, height, { text }, layout) {
    const body = bar(height, { fill: paint(look.colour) });
    const word = text ? label(0, 0.5, text, { fill: paint("onmark"), class: "evo-number" }) : null;
    const room = text ? Math.max(layout.room, text.length * WIDE.sans + 6) : 0;
    return [svg("g", {}, body.node, word), (x0, x1) => {
      body.at(x0, x1);
      if (word) set(word, { x: x0 + 4, display: x1 - x0 < room ? "none" : null });
    }];
  },
  ramp(look, height, { from = 0, share = 1 }) {
    const base = bar(height, { fill: paint("pale"), rx: 0 });
    const edge = svg("polygon", { fill: paint(look.colour) });
    const floor = height / 2, left = floor - height * clamp(from, 0.06, 1), right = floor - height * clamp(share, 0.06, 1);
    return [svg("g", {}, base.node, edge), (x0, x1) => {
      base.at(x0, x1);
      set(edge, { points: `${x0},${floor} ${x0},${left} ${x1},${right} ${x1},${floor}` });
    }];
  },
  asleep(look, height, { text, sleep }) {
    const body = bar(height, { fill: paint("pale") });
    const offsets = sleep.strands === 3 ? [-3.5, 0, 3.5] : [0];
    const strands = offsets.map((y) => line({ stroke: paint(sleep.colour), "stroke-dasharray": sleep.dash || null,
      "stroke-linecap": sleep.dash === "1 4" ? "round" : null, "stroke-width": sleep.dash === "1 4" ? 2 : 1.3, transform: `translate(0,${y})` }));
    const word = text ? label(0, 0.5, text, { class: "evo-call" }) : null;
    const room = text ? text.length * WIDE.mono + 10 : 0;
    return [svg("g", {}, body.node, ...strands.map((strand) => strand.node), word), (x0, x1) => {
      body.at(x0, x1);
      const shown = word && x1 - x0 >= room;
      if (word) set(word, { x: x0 + 5, display: shown ? null : "none" });
      const start = shown ? Math.min(x0 + room, x1) : x0 + 1;
      for (const strand of strands) strand.at(start, Math.max(start, x1 - 1));
    }];
  },
  hatch(look, height, { hatch }) {
    const body = bar(height - 1.5, { fill: `url(#${hatch})`, stroke: paint(look.colour), "stroke-width": 1.5 });
    return [body.node, (x0, x1) => body.at(x0, x1, 0.75)];
  },
  box(look, height) {
    const body = bar(height - 1.5, { fill: paint("page"), stroke: paint(look.colour), "stroke-width": 1.5 });
    const word = label(0, 0.5, "Z", { "text-anchor": "middle", "font-weight": 700 });
    return [svg("g", {}, body.node, word), (x0, x1) => {
      body.at(x0, x1, 0.75);
      set(word, { x: (x0 + x1) / 2, display: x1 - x0 < 12 ? "none" : null });
    }];
  },
  none() {
    return [svg("g"), () => {}];
  },
};
function drawMark(look, height, options, layout) {
  const [node, at] = SHAPES[look.shape](look, height, options, layout);
  return { node, place: (x0, x1) => at(x0, Math.max(x1, x0 + 1.5)) };
}
function drawGlyph(look, glyph) {
  const pen = { d: glyph.d, fill: "none", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" };
  const halo = svg("path", { ...pen, stroke: paint("page"), "stroke-width": 4.5 });
  const shape = glyph.fill ? { d: glyph.d, fill: paint(look.colour) } : { ...pen, stroke: paint(look.colour) };
  return svg("g", {}, halo, svg("path", shape));
}
function hatching(id) {
  return svg("pattern", { id, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 5, height: 5, fill: paint("page") }), svg("rect", { width: 1.8, height: 5, fill: paint("busy") }));
}

// --- a legend that lights up what it names ---
function legend(root, language) {
  const list = html("div", { class: "evo-legend", role: "group", "aria-label": "Legend: choose a mark to light it up" });
  let shown = "", pinned = null;
  const light = (key) => {
    root.toggleAttribute("data-lit", Boolean(key));
    for (const node of root.querySelectorAll(".evo-mark")) node.classList.toggle("evo-lit", node.dataset.key === key || (node.dataset.also || "").split(" ").includes(key));
  };
  const sample = (key) => {
    const [table, name] = key.split(".");
    const picture = svg("svg", { width: 30, height: 18, viewBox: "0 -9 30 18", "aria-hidden": "true" });
    if (table === "ends") picture.append(set(drawGlyph(language.ends[name], language.glyphs[language.ends[name].shape]), { transform: "translate(15,0)" }));
    else if (table === "syscall" && language.glyphs[language.syscall[name].shape]) picture.append(set(drawGlyph(language.syscall[name], language.glyphs[language.syscall[name].shape]), { transform: "translate(15,0)" }));
    else if (table === "guess") picture.append(ghost(8), svg("line", { x1: 14, x2: 28, stroke: paint("guess"), "stroke-width": 1.5, "stroke-dasharray": "2 2" }));
    else {
      const hatch = unique("hatch");
      if (name === "stopped") picture.append(svg("defs", {}, hatching(hatch)));
      const look = table === "sleeps" ? language.process.asleep : language[table][name];
      const mark = drawMark(look, 13, { sleep: language.sleeps[name] || language.sleeps.other, hatch }, language.layout);
      mark.place(2, 28);
      picture.append(mark.node);
    }
    return picture;
  };
  const item = (key) => {
    const [table, name] = key.split(".");
    const entry = table === "guess" ? language.guess : language[table][name];
    const node = html("button", { type: "button", class: "evo-key", "data-key": key, "aria-pressed": "false", title: entry.meaning,
      onpointerenter: () => light(key), onpointerleave: () => light(pinned), onfocus: () => light(key), onblur: () => light(pinned),
      onclick: () => {
        pinned = pinned === key ? null : key;
        for (const other of list.children) set(other, { "aria-pressed": String(other.dataset.key === pinned) });
        light(pinned);
      } }, sample(key), entry.word);
    return node;
  };
  return {
    node: list,
    show(keys) {
      const order = Object.keys(language.client).map((k) => `client.${k}`).concat(Object.keys(language.ends).map((k) => `ends.${k}`),
        Object.keys(language.process).map((k) => `process.${k}`), Object.keys(language.sleeps).map((k) => `sleeps.${k}`), Object.keys(language.syscall).map((k) => `syscall.${k}`), ["guess.guess"]);
      const present = order.filter((key) => keys.has(key) && key !== "process.gone" && key !== "process.asleep");
      if (present.join() === shown) return;
      shown = present.join();
      list.replaceChildren(...present.map(item));
    },
    light: () => pinned && light(pinned),
  };
}
function ghost(x, attributes = {}) {
  return svg("rect", { x: x - 4, y: -8, width: 8, height: 16, rx: 4, fill: paint("page"), stroke: paint("guess"), "stroke-width": 1.5, "stroke-dasharray": "2.5 2", ...attributes });
}

// --- tooltip inside the view, never cut off by it ---
function tooltip(stage) {
  const node = html("div", { class: "evo-tip", hidden: true });
  stage.append(node);
  return {
    hide: () => (node.hidden = true),
    show(x, y, head, rows, words) {
      node.replaceChildren(html("strong", {}, head), ...rows.map((row) => html("div", { class: "evo-number" }, row)),
        ...(words ? [html("code", {}, words)] : []));
      node.hidden = false;
      const width = stage.clientWidth, own = node.offsetWidth;
      node.style.left = `${clamp(x + 14 + own > width ? x - own - 14 : x + 14, 0, Math.max(0, width - own))}px`;
      node.style.top = `${clamp(y + 16, 0, Math.max(0, stage.clientHeight - node.offsetHeight))}px`;
    },
  };
}

// --- export: the picture as it stands, with its title and its sentence, colours resolved ---
function standalone(root, drawing, title, sentence) {
  const style = getComputedStyle(root), width = Number(drawing.getAttribute("width")), height = Number(drawing.getAttribute("height"));
  const lines = wrap(sentence, Math.floor((width - 24) / 6.4)), total = height + 44 + 18 * lines.length;
  const copy = drawing.cloneNode(true);
  for (const node of copy.querySelectorAll("[data-live]")) node.remove();
  const inner = svg("g", { transform: "translate(0,32)" });
  inner.append(...copy.childNodes);
  const whole = svg("svg", { xmlns: SVG, width, height: total, viewBox: `0 0 ${width} ${total}` },
    svg("style", {}, `text{font:11px ${style.fontFamily.replace(/[<&]/g, "")};font-variant-numeric:tabular-nums}.evo-call{font-family:monospace}`),
    svg("rect", { width, height: total, fill: paint("page") }),
    label(8, 18, title, { style: "font-size:14px;font-weight:600" }), inner,
    ...lines.map((text, i) => label(8, height + 46 + 18 * i, text, { style: "font-size:12px" })));
  const text = new XMLSerializer().serializeToString(whole);
  return text.replace(/var\((--evo-[a-z]+)\)/g, (_, name) => style.getPropertyValue(name).trim() || "currentColor");
}
function wrap(text, columns) {
  const lines = [""];
  for (const word of (text || "").split(/\s+/)) {
    if ((lines[lines.length - 1] + " " + word).length > columns && lines[lines.length - 1]) lines.push(word);
    else lines[lines.length - 1] += (lines[lines.length - 1] ? " " : "") + word;
  }
  return lines;
}
function save(blob, name) {
  const link = html("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
function saveSvg(text, name) {
  save(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`);
}
async function savePng(text, name) {
  const picture = new Image();
  picture.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  await picture.decode();
  const canvas = html("canvas", { width: picture.width * 2, height: picture.height * 2 });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(picture.src);
  canvas.toBlob((blob) => save(blob, `${name}.png`), "image/png");
}
const slug = (title) => (title || "view").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
