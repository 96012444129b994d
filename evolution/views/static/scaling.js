// The cost of one wait against the number of descriptors.

export default () => ({
  render({ model, el }) {
    const view = figureView(el, model, { name: "scaling" });
    return () => view.close();
  },
});
