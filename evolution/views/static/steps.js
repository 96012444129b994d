// The seven steps: all of them are laid out in Python (views/steps.py); here one at a time is shown.
// figure.js draws a figure that it asks a model for: it gets the model of the step that is shown.

export default () => ({
  render({ model, el }) {
    let at = 0, playing = 0;
    const frames = () => model.get("state").frames, last = () => frames().length - 1;
    const watchers = new Set();
    const shown = {
      get: (name) => (name === "figures" ? figures() : name === "state" ? told() : model.get(name)),
      on: (name, call) => { watchers.add(call); model.on(name, call); },
      off: (name, call) => { watchers.delete(call); model.off(name, call); },
    };
    function figures() {
      return Object.fromEntries(Object.entries(model.get("book")).map(([width, book]) =>
        [width, { width: book.width, height: book.height, marks: book.frames[at].map((index) => book.marks[index]) }]));
    }
    function told() {
      const state = model.get("state"), frame = state.frames[at];
      const gap = frame.left_out ? ` (${frame.left_out.toLocaleString("en")} steps before it are left out.)` : "";
      const end = at === last() ? [model.get("more"), `In all: ${state.sentence}`] : [];
      const said = [`Step ${at + 1} of ${state.frames.length}.`, frame.words + gap, ...end];
      return { ...state, sentence: said.filter(Boolean).join(" ") };
    }
    const view = figureView(el, shown, { name: "steps", help: "Comma and full stop: one step back, one on. " });
    const back = button("◀", "Back: one step back", () => go(at - 1)), on = button("▶", "On: one step on", () => go(at + 1));
    const play = button("Play", "Play: a step every second", () => (playing ? pause() : start()));
    const scrub = html("input", { type: "range", class: "evo-scrub", min: 0, step: 1, "aria-label": "Step shown",
      "data-lm-suppress-shortcuts": "true", oninput: () => { pause(); go(Number(scrub.value)); } });
    const player = html("div", { class: "evo-stepper", role: "group", "aria-label": "Step through the run" }, back, on, play, scrub);
    const stage = view.root.querySelector(".evo-stage");
    view.root.insertBefore(player, stage);
    function go(next) {
      at = clamp(next, 0, last());
      set(scrub, { max: last(), "aria-valuetext": `step ${at + 1} of ${last() + 1}` });
      scrub.value = at;
      back.disabled = at === 0;
      on.disabled = at === last();
      set(view.root, { "data-frame": at, "data-step": frames()[at].step, "data-frames": last() + 1 });
      for (const call of watchers) call();
      if (at === last()) pause();
    }
    function start() {
      if (at === last()) go(0);
      play.textContent = "Pause";
      set(play, { "aria-label": "Pause" });
      playing = setInterval(() => go(at + 1), 1000);
    }
    function pause() {
      clearInterval(playing);
      playing = 0;
      play.textContent = "Play";
      set(play, { "aria-label": "Play: a step every second" });
    }
    view.root.addEventListener("keydown", (event) => {
      const way = { ",": -1, ".": 1 }[event.key];
      if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
      pause();
      go(at + way);
      event.preventDefault();
      event.stopPropagation();
    });
    const anew = () => { pause(); go(0); };
    model.on("change:book", anew);
    go(0);
    return () => { pause(); model.off("change:book", anew); view.close(); };
  },
});
