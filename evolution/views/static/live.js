// A widget whose state is a snapshot and the increments that came since:
//   kind                   of the messages that are increments
//   empty(), merge(state, update)   a state of nothing; applies an increment in place, false where one is missing
//   view(el, language, read)        draws: {changed("another" run | "whole" | "" an increment), close()}

function live({ kind, empty, merge, view }) {
  return () => {
    let state = empty(); // shared by all views of one model
    const watchers = new Set();
    let asked = false;
    const adopt = (whole) => {
      asked = false;
      const before = state, next = { ...empty(), ...structuredClone(whole || {}) };
      const another = next.title !== before.title || next.now < before.now || (next.running && !before.running);
      if (!another && next.running && next.now === before.now && next.lanes.length === before.lanes.length) return; // nothing that was not pushed
      state = next;
      for (const watcher of watchers) watcher(another ? "another" : "whole");
    };
    return {
      initialize({ model }) {
        adopt(model.get("state"));
        model.on("change:state", () => adopt(model.get("state")));
        model.on("msg:custom", (update) => {
          if (update.kind === "snapshot") return adopt(update.state);
          if (update.kind !== kind) return;
          if (merge(state, update)) for (const watcher of watchers) watcher("");
          else if (!asked) try { asked = true; model.send({ kind: "snapshot please" }); } catch { /* no kernel: the snapshot is all there is */ }
        });
      },
      render({ model, el }) {
        const shown = view(el, model.get("language"), () => state);
        watchers.add(shown.changed);
        return () => { watchers.delete(shown.changed); shown.close(); };
      },
    };
  };
}
