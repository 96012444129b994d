// The map: Python has made it (views/map.py); here it is put into the page, and its links lead on in place.

export default () => ({
  render({ model, el }) {
    const show = () => {
      const opened = new Set([...el.querySelectorAll("[data-chapter]:has(details[open])")].map((stop) => stop.dataset.chapter));
      el.innerHTML = model.get("html");
      for (const stop of el.querySelectorAll("[data-chapter]")) {
        const fold = stop.querySelector("details");
        if (fold) fold.open = opened.has(stop.dataset.chapter);
      }
      for (const link of el.querySelectorAll("a[href]")) lead(link);
    };
    model.on("change:html", show);
    show();
    return () => model.off("change:html", show);
  },
});

// JupyterLab opens what its linker is told beside the notebook that is shown: a plain link would load the whole
// page anew. Its address names that notebook: …/lab/tree/FOLDER/00_start_here.ipynb. Elsewhere a link is a link.
function lead(link) {
  const [, folder] = location.pathname.match(/\/lab\/(?:workspaces\/[^/]+\/)?tree\/(.*?)[^/]*$/) || [];
  if (folder === undefined) return;
  set(link, { "data-commandlinker-command": "docmanager:open",
    "data-commandlinker-args": JSON.stringify({ path: decodeURIComponent(folder) + link.getAttribute("href") }) });
}
