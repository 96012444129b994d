// A button; the kernel makes the file, the browser keeps it. See download.py.

export default {
  render({ model, el }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "jupyter-button widget-button evolution-download";
    button.style.width = "auto";
    button.textContent = model.get("label");
    const words = document.createElement("span");
    words.setAttribute("role", "status");
    words.style.margin = "0 0.6em";
    el.append(button, words);
    button.addEventListener("click", () => { words.textContent = ""; model.send({ kind: "make" }); });
    const take = (message, buffers) => {
      if (message.kind === "failed") { words.textContent = message.words; return; }
      if (message.kind !== "file") return;
      const url = URL.createObjectURL(new Blob([buffers[0]], { type: "application/zip" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = message.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10000); // not before the browser has begun to read it
      words.textContent = `${message.name}: ${buffers[0].byteLength.toLocaleString("en")} bytes`;
    };
    model.on("msg:custom", take);
    return () => model.off("msg:custom", take);
  },
};
