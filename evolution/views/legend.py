"""The legend of all marks as a picture: ``python -m evolution.views.legend > docs/img/legend.svg``."""

import sys
from html import escape

from evolution.views import marks
from evolution.views.shapes import entry, hatching, key, painter, tag, words

WIDTH, ROW = 720, 22
GROUPS = (
    ("A client", [f"client.{name}" for name in marks.CLIENT]),
    ("How it ends", [f"ends.{name}" for name in marks.ENDS]),
    ("A process or thread", ["process.running", "process.stopped", "process.zombie"]),
    ("What it sleeps in", [f"sleeps.{name}" for name in marks.SLEEPS]),
    ("A system call", [f"syscall.{name}" for name in marks.SYSCALL]),
    ("What you expected", ["guess.guess"]),
)
STYLE = (
    ".evo-legend-twin text{font:12px system-ui,sans-serif;dominant-baseline:central}"
    ".evo-legend-twin .head{font-weight:600}"
)


def picture(theme="light"):
    """Return the SVG of every mark with its word and its meaning; `theme` is "light" or "dark"."""
    paint, y, rows = painter(theme), 8, []
    for title, names in GROUPS:
        rows.append(words(16, y + 12, title, paint, "soft", class_="head"))
        y += 26
        for name in names:
            word, meaning = entry(name)
            rows.append(tag("g", key(name, paint), transform=f"translate(16,{y + ROW // 2})"))
            rows.append(words(58, y + ROW // 2, word, paint, class_="head"))
            rows.append(words(186, y + ROW // 2, meaning, paint))
            y += ROW
        y += 10
    page = tag("rect", width=WIDTH, height=y, fill=paint("page"))
    top = f"<title>{escape('The marks of all views')}</title><style>{STYLE}</style>{hatching(paint)}{page}"
    box = {"width": WIDTH, "height": y, "viewBox": f"0 0 {WIDTH} {y}"}
    return (
        tag(
            "svg", top, *rows, xmlns="http://www.w3.org/2000/svg", role="img", class_="evo-legend-twin", **box
        )
        + "\n"
    )


if __name__ == "__main__":
    sys.stdout.write(picture())
