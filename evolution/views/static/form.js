// Gives each slider of the panel around it the name that stands beside it.

export default () => ({
  render({ el }) {
    el.hidden = true;
    let frame = 0;
    const name = () => {
      for (const slider of el.closest(".evolution-panel").querySelectorAll(".widget-slider")) {
        const said = slider.querySelector(".widget-label")?.textContent;
        for (const handle of slider.querySelectorAll("[role=slider]")) if (said) handle.setAttribute("aria-label", said);
      }
    };
    const watch = new MutationObserver(() => look());
    const look = () => { // the panel comes first, then its rows, then what is in them
      const panel = el.closest(".evolution-panel");
      if (!panel) return (frame = requestAnimationFrame(look));
      watch.observe(panel, { childList: true });
      for (const rows of panel.querySelectorAll(".evolution-rows")) watch.observe(rows, { childList: true, subtree: true });
      name();
    };
    look();
    return () => { cancelAnimationFrame(frame); watch.disconnect(); };
  },
});
