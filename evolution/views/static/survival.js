// The survival grid: a click on a cell asks for its run.

export default () => ({
  render({ model, el }) {
    const view = figureView(el, model, { name: "survival grid", help: "Enter: replay the run of a cell. ",
      chosen: (mark) => {
        if (!mark.data?.verdict) return;
        try { model.send({ kind: "replay", model: mark.data.model, card: mark.data.card }); } catch { /* no kernel: the grid alone is shown */ }
      } });
    return () => view.close();
  },
});
