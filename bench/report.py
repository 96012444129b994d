"""python -m bench.report: put the results in bench/results/ into docs/performance.md and docs/img/.

A table stands between `<!-- bench: NAME -->` and `<!-- end -->`; everything else in the file is a person's.
"""

import json
import re
from pathlib import Path

from bench import idle, latency, memory, plot, requests, workers
from evolution import GENERATIONS

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "performance.md"
PARTS = {"requests": requests, "idle": idle, "memory": memory, "latency": latency, "workers": workers}
BETWEEN = re.compile(r"(<!-- bench: (\w+) -->\n).*?(<!-- end -->)", re.S)


def results(name):
    """The result of the full measure, or else of the short one; None when there is neither."""
    for path in (RESULTS / f"{name}-full.json", RESULTS / f"{name}.json"):
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
    return None


def block(name):
    """One part's table, and the line that says where and when it was measured."""
    found = results(name)
    if found is None:
        return "Not measured yet.\n"
    machine, noise = found["machine"], found["noise"]
    where = (
        f"Linux {machine['kernel']}, {machine['cores']} cores, {machine['processor']}, "
        f"Python {machine['python']}, {machine['date']}; "
        f"the machine was busy {noise['busy']:.0%} of the time, stolen {noise['steal']:.1%}."
    )
    return f"\n{PARTS[name].table(found)}\n\n{where}\n\n"


def page(text):
    """The page with every table as the results have it."""
    return BETWEEN.sub(lambda match: match[1] + block(match[2]) + match[3], text)


def pictures():
    """{file name: SVG} of all that can be drawn."""
    drawn = {}
    if found := results("requests"):
        for way in ("keep-alive", "new connection"):
            drawn[f"bench-{way.replace(' ', '-')}.svg"] = plot.bars(found, way, GENERATIONS)
    if found := results("idle"):
        drawn["bench-idle.svg"] = plot.lines(found)
    return drawn


def main():
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for name, svg in pictures().items():
        (PAGE.parent / "img" / name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
