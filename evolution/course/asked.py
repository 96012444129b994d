"""Cards that ask: predictions, which are locked in before they are measured, and recall cards."""

import json
import secrets

import ipywidgets

from evolution.course import exercise, predict, sealed
from evolution.course.cards import BUSY, Card, VerdictCard, box, button, escape, prose, timeline, verdict_html
from evolution.course.progress import Progress
from evolution.course.recall import deck
from evolution.course.verdict import OUTCOMES


class PredictionCard(Card):
    """A question with inputs; locked in once, then measured; the picture shows both."""

    def __init__(self, name, progress):
        self.task, self.progress = exercise.load(name), progress
        self.inputs = {each["key"]: self._input(each) for each in self.task.text["inputs"]}
        self.lock = button("Lock in and measure", "lock", self.measure)
        self.lock.layout.align_self = "flex-start"
        self.message = ipywidgets.HTML()
        self.picture = ipywidgets.VBox()
        paragraphs = (f"<p>{prose(each)}</p>" for each in self.task.text["task"].strip().split("\n\n"))
        question = f"<strong>{escape(self.task.title)}</strong>{''.join(paragraphs)}"
        self.twin_html = box(question, "info")
        labels = "\n".join(f"  {each['label']}: ?" for each in self.task.text["inputs"])
        self.twin_text = f"{self.task.title}\n{self.task.text['task']}\n{labels}"
        self.verdict = None
        super().__init__(
            [ipywidgets.HTML(self.twin_html), *self.inputs.values(), self.lock, self.message, self.picture]
        )
        self.add_class("evolution-prediction")
        self._recall()

    def _input(self, each):
        style, layout = {"description_width": "22em"}, ipywidgets.Layout(width="32em", max_width="100%")
        label = each["label"]
        if "unit" in each:
            made = ipywidgets.Text(description=label, placeholder=each["unit"], style=style, layout=layout)
        else:
            options = [("choose", ""), *((word, word) for word in each["words"])]
            made = ipywidgets.Dropdown(description=label, options=options, style=style, layout=layout)
        made.add_class(f"evolution-input-{each['key']}")
        return made

    def _recall(self):
        """Show what was locked in before, in another session of the same notebook."""
        attempts = self.progress.attempts(self.task.name)
        if attempts:
            last = attempts[-1]
            words = f"Locked in before: {last.source.strip()} → {last.diagnosis or OUTCOMES[last.outcome]}."
            self.message.value = f"<div>{escape(words)} You can predict and measure again.</div>"

    def measure(self):
        """Lock the guesses in, run the experiment, show the verdict."""
        guesses = {key: made.value for key, made in self.inputs.items()}
        try:
            predict.parse(self.task, guesses)
        except exercise.Finding as finding:
            self.message.value = f"<div>{escape(finding.evidence[0])}</div>"
            return
        self.message.value = BUSY.format("measuring on this machine")
        self._lock(True, "measuring …")  # and the guesses stay locked in; a new card is a new prediction
        try:
            source = json.dumps(guesses, ensure_ascii=False) + "\n"
            path = self.progress.write(self.task.name, source)
            self.verdict = sealed.check(self.task.name, path)
            self.progress.record(self.task.name, source, self.verdict)
            self.twin_text, self.twin_html = self.verdict.text(), verdict_html(self.verdict)
            card = VerdictCard(self.verdict, self.progress, source)
            self.picture.children = [*timeline(self.verdict.details.get("timeline")), card]
            self.message.value = ""
        finally:
            self._lock(False, "Measure again")

    def _lock(self, busy, label):
        self.lock.disabled, self.lock.description = busy, label
        for made in self.inputs.values():
            made.disabled = True


class RecallCard(Card):
    """One recall card: a question, a place for the answer, and why."""

    def __init__(self, card, progress):
        self.card, self.progress = card, progress
        again = f"Again, from {card.again}: " if card.again else ""
        self.twin_text = f"{again}{card.question} ({', '.join(card.choices) or card.unit})"
        self.twin_html = box(f"<em>{again}</em>{prose(card.question)}", "info")
        if card.choices:
            options = [("choose", ""), *((each, each) for each in card.choices)]
            self.box = ipywidgets.Dropdown(description="Your answer", options=options)
        else:
            self.box = ipywidgets.Text(description="Your answer", placeholder=card.unit)
        self.button = button("Check", "recall-check", self.check)
        self.said = ipywidgets.HTML()
        super().__init__(
            [ipywidgets.HTML(self.twin_html), ipywidgets.HBox([self.box, self.button]), self.said]
        )
        self.add_class("evolution-recall")

    def check(self):
        try:
            right = self.card.accepts(self.box.value)
        except ValueError as error:
            self.said.value = f"<div>{escape(error)}</div>"
            return
        self.progress.recall(self.card.key, right)
        unit = f" {self.card.unit}" if self.card.unit else ""
        if right:
            words = "✓ so it is."
        elif self.card.choices:
            words = f"✗ it is: {self.card.answer}."
        else:
            words = f"✗ it is {self.card.answer:g}{unit}."
        self.said.value = f'<div role="status">{escape(words)} {prose(self.card.why)}</div>'
        self.button.disabled = self.box.disabled = True


def recall(chapter, seed=None):
    """Show three recall cards of a chapter with new numbers, and again those from before that went wrong.

    Cards about the learner's own mistakes come first. Raises ValueError for a chapter without cards.
    """
    seed = secrets.randbelow(10**6) if seed is None else seed
    progress = Progress()
    made = [RecallCard(card, progress) for card in deck(chapter, seed, progress)]
    whole = Card(made)
    whole.twin_text = "\n".join(each.twin_text for each in made)
    whole.twin_html = "".join(each.twin_html for each in made)
    return whole


def ask(name):
    """Show a prediction: its question, inputs, and a button that locks them in and measures.

    Raises UnknownExercise for a name that is no prediction.
    """
    task = exercise.load(name)
    if task.kind != "prediction":
        raise exercise.UnknownExercise(
            f"{name} is not a prediction: write it in a cell that begins %%exercise {name}"
        )
    return PredictionCard(name, Progress())
