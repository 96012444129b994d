// The timeline's state without its pixels: increments, the moments of change, ticks, bands.

const FAILED = new Set(["refused", "timed_out", "reset"]);
const emptyTimeline = () => ({ title: "", sentence: "", now: 0, end: null, running: false, recorded: false,
  lanes: [], queue: { limit: 0, steps: [] }, processes: [], guesses: [] });

// Apply an increment in place. Returns false when it builds on something never received.
function mergeTimeline(state, update) {
  const known = { lanes: new Map(state.lanes.map((lane) => [lane.id, lane])), processes: new Map(state.processes.map((lane) => [lane.id, lane])) };
  for (const table of ["lanes", "processes"]) {
    for (const change of update[table] || []) {
      let lane = known[table].get(change.id);
      if ((lane ? lane.spans.length : 0) < (change.keep || 0)) return false;
      if (!lane) state[table].push((lane = { id: change.id, spans: [], end: null }));
      const { keep = 0, spans = [], ...rest } = change;
      lane.spans.splice(keep, lane.spans.length, ...spans);
      Object.assign(lane, rest);
    }
  }
  if (update.queue) {
    const { keep = 0, steps = [], ...rest } = update.queue;
    if (state.queue.steps.length < keep) return false;
    state.queue.steps.splice(keep, state.queue.steps.length, ...steps);
    Object.assign(state.queue, rest);
  }
  if (update.bands) {
    const { keep = 0, steps = [] } = update.bands;
    state.bands = state.bands || [];
    if (state.bands.length < keep) return false;
    state.bands.splice(keep, state.bands.length, ...steps);
  }
  const { kind, lanes, processes, queue, bands, ...rest } = update;
  Object.assign(state, rest);
  return true;
}

function lastMoment(state) {
  return Math.max(state.end || 0, state.now || 0, ...(state.guesses || []).map((guess) => guess.t));
}
// How far the axis reaches: the whole run, or while it runs the next round number, so that it rarely jumps.
function reach(state) {
  if (!state.running) return Math.max(lastMoment(state), 0.001);
  const least = Math.max(state.span || 0, lastMoment(state) * 1.02, 1);
  const unit = 10 ** Math.floor(Math.log10(least));
  return state.span && lastMoment(state) <= state.span ? state.span : [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((n) => n * unit).find((n) => n >= least);
}
function moments(state) {
  const seen = new Set([0, lastMoment(state)]);
  for (const lane of [...state.lanes, ...state.processes]) {
    for (const span of lane.spans) seen.add(span.from);
    if (lane.end) seen.add(lane.end.t);
  }
  for (const [t] of state.queue.steps) seen.add(t);
  return [...seen].sort((a, b) => a - b);
}
function ticks(from, to, count) {
  const rough = (to - from) / Math.max(1, count), unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * unit).find((n) => n >= rough * 0.999), found = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++) found.push(i * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step * (to < 1 ? 1000 : 1)) + 1e-9));
  return found.map((t) => [t, t === 0 ? "0" : to < 1 ? `${(t * 1000).toFixed(digits)} ms` : `${t.toFixed(digits)} s`]);
}
function spanAt(lane, t) {
  return lane.spans.find((span) => span.from <= t && (span.to === null || span.to === undefined || t < span.to)) || null;
}
function lengthAt(queue, t) {
  let length = 0;
  for (const [when, value] of queue.steps) { if (when > t) break; length = value; }
  return length;
}

// Counts by state over `columns` equal stretches of time; clients that have ended stay counted as such.
function countStates(state, rank, from, to, columns) {
  const counts = Object.fromEntries(rank.map((name) => [name, new Int32Array(columns + 1)]));
  const last = state.running ? columns : columns - 1; // how it ended is to be seen: the end is part of the last stretch
  const column = (t) => clamp(Math.floor(((t - from) / (to - from)) * columns), 0, t <= to ? last : columns);
  const add = (name, a, b) => {
    if (!counts[name] || b <= from) return;
    counts[name][column(a)] += 1;
    counts[name][column(b)] -= 1;
  };
  const now = state.now || 0;
  for (const lane of state.lanes) {
    for (const span of lane.spans) add(span.state, span.from, span.to ?? now);
    if (lane.end) add(FAILED.has(lane.end.state) ? "failed" : lane.end.state, lane.end.t, Math.max(to * 2, now));
  }
  for (const row of Object.values(counts)) for (let i = 1; i <= columns; i++) row[i] += row[i - 1];
  return counts;
}
const total = (state) => state.clients ?? state.lanes.length;
function bandCounts(state, rank, from, to, columns) {
  if (!state.bands) return countStates(state, rank, from, to, columns);
  const counts = Object.fromEntries(rank.map((name) => [name, new Int32Array(columns + 1)]));
  const steps = state.bands, now = state.now || 0, wide = (to - from) / columns;
  let at = -1;
  for (let i = 0; i <= columns; i++) {
    const t = from + wide * i;
    while (at + 1 < steps.length && steps[at + 1][0] <= t) at++;
    if (!state.running && t <= now && t + wide >= now) at = steps.length - 1; // how it ended
    if (at < 0 || t > now) continue;
    for (const [name, count] of Object.entries(steps[at][1])) {
      const row = counts[FAILED.has(name) ? "failed" : name];
      if (row) row[i] += count;
    }
  }
  return counts;
}
// Where in a band a word fits, with the most room: its column and the height of its middle; null if nowhere.
function roomInBand(low, high, least, half = 15) {
  let best = null;
  for (let at = half; at < high.length - half; at++) {
    const floor = Math.max(...low.subarray(at - half, at + half + 1)), top = Math.min(...high.subarray(at - half, at + half + 1));
    if (top - floor > (best ? best.room : least)) best = { room: top - floor, at, middle: (floor + top) / 2 };
  }
  return best;
}
// Which sections the picture has: the clients, the accept queue. While it runs, both: they may still come.
const sections = (state) => [Boolean(state.running || state.bands || state.lanes.length), Boolean(state.running || state.queue.steps.length)];
// Where the words beside a prediction stand: [x, text-anchor]. Best where nothing is, else over no other text.
function besideGhost(px, wide, taken, low, high) {
  const last = Math.max(px, ...taken.map(({ to }) => to));
  const spots = [[px + 9, "start"], [last + 5, "start"], [px - 9, "end"],
    ...taken.map(({ to }) => [Math.max(to + 3, px + 9), "start"]), ...taken.map(({ from }) => [Math.min(from - 3, px - 9), "end"])];
  const spread = ([at, side]) => (side === "start" ? [at, at + wide] : [at - wide, at]);
  const inside = spots.filter((spot) => spread(spot)[0] >= low && spread(spot)[1] <= high);
  const clear = (spot, of) => of.every(({ from, to }) => spread(spot)[0] >= to || spread(spot)[1] <= from);
  return inside.find((spot) => clear(spot, taken)) || inside.find((spot) => clear(spot, taken.filter(({ text }) => text))) || inside[0] || spots[2];
}
// Workers and threads belong to the server above them.
const indent = (lane) => 10 * (lane.depth ?? (/^server/.test(lane.label || "") ? 0 : 1));
const waited = (lane, now) => lane.spans.reduce((sum, span) =>
  sum + (["queued", "waiting", "connecting"].includes(span.state) ? (span.to ?? now) - span.from : 0), 0);
function interesting(state, count) {
  const score = (lane) => (lane.end && FAILED.has(lane.end.state) ? 1e6 : 0) + waited(lane, state.now);
  const ranked = state.lanes.map((lane, i) => [score(lane), i]).sort((a, b) => b[0] - a[0]).slice(0, count);
  return ranked.map(([, i]) => i).sort((a, b) => a - b).map((i) => state.lanes[i]);
}
