// The race: bars that fill while it runs.

export default () => ({
  render({ model, el }) {
    const view = figureView(el, model, { name: "race" });
    return () => view.close();
  },
});
