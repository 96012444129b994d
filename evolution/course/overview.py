"""The map of the course: the generations of servers, what each is for, and how far the learner has come."""

import html
from typing import NamedTuple

from evolution.course import exercise
from evolution.course.progress import Progress


class Stage(NamedTuple):
    """One step of the evolution."""

    model: str
    chapter: int
    idea: str


STAGES = (
    Stage("blocking", 1, "one process, one client at a time"),
    Stage("fork", 2, "a process for each client"),
    Stage("threads", 2, "a thread for each client"),
    Stage("prefork", 2, "a crew of processes made beforehand"),
    Stage("select_loop", 3, "one process asleep for all clients: select"),
    Stage("poll_loop", 3, "the same without the limit of 1,024: poll"),
    Stage("epoll_loop", 4, "the kernel keeps the list: epoll"),
    Stage("reactor", 4, "one thread waits, others work"),
    Stage("multireactor", 4, "several loops on one port, as in nginx"),
)


class Map:
    """The stages with the exercises passed in each chapter; shows itself as a card in a notebook."""

    def __init__(self, progress=None):
        progress = progress or Progress()
        self.passed = {}
        for name, task in exercise.catalogue().items():
            done, all_of_them = self.passed.get(task.chapter, (0, 0))
            won = any(attempt.outcome == "passed" for attempt in progress.attempts(name))
            self.passed[task.chapter] = (done + won, all_of_them + 1)

    def _progress(self, chapter):
        for key, (done, count) in self.passed.items():
            if key.startswith(f"ch{chapter}_"):
                return f"{done} of {count} exercises"
        return "to come"

    def __repr__(self):
        return "\n".join(
            f"chapter {stage.chapter}  {stage.model:<13} {stage.idea:<45} {self._progress(stage.chapter)}"
            for stage in STAGES
        )

    def _repr_html_(self):
        rows = []
        last = None
        for stage in STAGES:
            first = stage.chapter != last
            last = stage.chapter
            span = sum(each.chapter == stage.chapter for each in STAGES)
            border = "border-top:1px solid var(--jp-border-color2,#e0e0e0)" if first else ""
            cells = []
            if first:
                cells.append(
                    f'<td rowspan="{span}" style="vertical-align:top;text-align:left">{stage.chapter}</td>'
                )
            cells.append(f'<td style="text-align:left"><code>{stage.model}</code></td>')
            cells.append(f'<td style="text-align:left">{html.escape(stage.idea)}</td>')
            if first:
                done = self._progress(stage.chapter)
                cells.append(f'<td rowspan="{span}" style="vertical-align:top;text-align:left">{done}</td>')
            rows.append(f'<tr style="{border};background:transparent">{"".join(cells)}</tr>')
        head = "".join(f'<th scope="col" style="text-align:left">{name}</th>' for name in HEADINGS)
        return (
            '<table class="evolution-map" style="color:var(--jp-content-font-color1,inherit);font-size:1em">'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )


HEADINGS = ("Chapter", "Server", "Its idea", "Your progress")
