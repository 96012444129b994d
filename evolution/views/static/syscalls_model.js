// The state of the system calls without its pixels: increments, what is where, a time to the microsecond.

const emptyCalls = () => ({ title: "", sentence: "", note: "", now: 0, running: false, recorded: false, lanes: [], left_out: 0,
  counts: { requests: 0, idle: 0, head: "", rows: [] } });

// Apply an increment in place. Returns false when it builds on something never received.
function mergeCalls(state, update) {
  const known = new Map(state.lanes.map((lane) => [lane.id, lane]));
  for (const { drop = 0, keep = 0, spans = [], ...rest } of update.lanes) {
    const lane = known.get(rest.id) || { id: rest.id, spans: [] };
    if (lane.spans.length < drop + keep) return false;
    lane.spans.splice(0, drop);
    lane.spans.splice(keep, lane.spans.length, ...spans);
    known.set(rest.id, Object.assign(lane, rest));
  }
  if (!update.order.every((id) => known.has(id))) return false;
  const { kind, lanes, order, ...rest } = update;
  Object.assign(state, rest, { lanes: order.map((id) => known.get(id)) });
  return true;
}
function firstIn(spans, t) { // the spans of a lane follow each other
  let low = 0, high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle].to ?? Infinity) < t) low = middle + 1; else high = middle;
  }
  return low;
}
function answers(state) { // in the order of their ends
  return state.lanes.flatMap((lane) => lane.spans.flatMap((span, at) => {
    if (span.word !== "send" || span.kind === "fail" || span.to === null) return [];
    return [{ spans: lane.spans, at, to: span.to }];
  })).sort((a, b) => a.to - b.to);
}
const called = (span) => (span.fd === null || span.fd === undefined ? span.word : `${span.word}(${span.fd})`);
const fine = (t) => { // to the microsecond: 1,234.567 ms
  const us = Math.round(t * 1e6);
  return `${grouped(Math.floor(us / 1000))}.${String(us % 1000).padStart(3, "0")} ms`;
};
