"""The desk of a mystery: probes and accusations by buttons, beside `case.probe` and `case.accuse`."""

import ipywidgets

from evolution import GENERATIONS
from evolution.course.cards import BUSY, Card, box, button, escape, pre
from evolution.course.mystery import SUSPECTS
from evolution.lab.guarded import LaunchError


class Desk(Card):
    """One suspect at a time: try a probe, see all its observations, tick the telling ones, name it."""

    def __init__(self, case):
        self.case = case
        narrow, wide = ipywidgets.Layout(width="14em"), ipywidgets.Layout(width="26em", max_width="100%")
        self.suspect = ipywidgets.Dropdown(
            description="suspect", options=range(1, SUSPECTS + 1), layout=narrow
        )
        self.words = ipywidgets.Text("silent 1; ask", description="probe", layout=wide)
        self.observe = button("Observe", "observe", lambda: self._do(self._observe))
        self.name = ipywidgets.Dropdown(description="it is", options=GENERATIONS, layout=narrow)
        self.accuse = button(
            "Accuse", "accuse", lambda: self._do(self._accuse), "Name it, on ticked evidence"
        )
        self.ticks, self.said, self.all = ipywidgets.VBox(), ipywidgets.HTML(), ipywidgets.HTML()
        rows = [[self.suspect, self.words, self.observe], [self.ticks], [self.name, self.accuse]]
        boxes = [ipywidgets.HBox(row, layout={"flex_flow": "row wrap"}) for row in rows]
        super().__init__([*boxes, self.said, self.all])
        self.add_class("evolution-desk")
        self.suspect.observe(lambda _: self._show(), "value")
        self._show()

    @property
    def cited(self):
        """The numbers of the observations that are ticked."""
        return [each.number for each in self.ticks.children if each.value]

    def _observe(self):
        self.case.probe(self.suspect.value, self.words.value)
        return ""

    def _accuse(self):
        return pre(self.case.accuse(self.suspect.value, self.name.value, self.cited))

    def _do(self, action):
        """Do what a button stands for; a mistake is told in words."""
        self.observe.disabled = self.accuse.disabled = True
        self.said.value, cited = BUSY.format("the servers are asked"), self.cited
        try:
            told = action()
        except (ValueError, LaunchError) as error:
            told = box(escape(error), "warn")
        finally:
            self.observe.disabled = self.accuse.disabled = False
        self.said.value = f'<div role="status" class="evolution-said">{told}</div>'
        self._show(cited)

    def _show(self, cited=()):
        """List the observations of this suspect to be ticked, and where the case stands."""
        seen = [each for each in self.case.observations if each.suspect == self.suspect.value]
        if [each.number for each in seen] != [each.number for each in self.ticks.children]:
            self.ticks.children = [_tick(each, each.number in cited) for each in seen]
        self.twin_text = repr(self.case)
        self.all.value = self.twin_html = pre(self.twin_text, "case")


def _tick(observation, ticked):
    words = f"{observation.number}: {observation.probe} → {observation.seen}"
    made = ipywidgets.Checkbox(ticked, description=words, indent=False, layout={"width": "auto"})
    made.number = observation.number
    made.add_class("evolution-observation")
    return made


def desk(case):
    """Return the desk for a Mystery, to be shown in a notebook."""
    return Desk(case)
