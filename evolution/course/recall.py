"""Recall cards: a small sum from an earlier chapter, with new numbers each time.

    cards("ch1_blocking", seed=7)                                   three from the chapter
    cards("ch1_blocking", seed=7, mistakes=Progress().mistakes())   first those about the learner's mistakes

The cards of a chapter are functions in exercises/CHAPTER/recall.py: `card(rng)` returns a Card made with the
numbers that `rng` gave. The same seed gives the same cards.
"""

import importlib.util
import random
from dataclasses import dataclass
from functools import cache

from evolution.course.exercise import ROOT


@dataclass(frozen=True)
class Card:
    question: str
    answer: float | str
    unit: str = ""
    choices: tuple = ()
    """For an answer in words: what to choose from."""
    why: str = ""
    """Shown after the answer."""
    about: tuple = ()
    """The diagnoses that this card is a remedy for."""

    def accepts(self, typed):
        """Return whether what was typed is right: within 2 % for a number, the word itself for a choice.

        Raises ValueError for something that is neither.
        """
        text = str(typed).strip().lower().replace(",", ".").removesuffix(self.unit).strip()
        if self.choices:
            if text not in self.choices:
                raise ValueError(f"expected one of {', '.join(self.choices)}, not {typed!r}")
            return text == self.answer
        try:
            number = float(text)
        except ValueError:
            raise ValueError(f"expected a number of {self.unit}, not {typed!r}") from None
        return abs(number - self.answer) <= max(1e-9, 0.02 * abs(self.answer))


def cards(chapter, seed, mistakes=(), count=3):
    """Return `count` Cards of a chapter; those about `mistakes`, pairs (exercise, diagnosis), come first.

    Raises ValueError for a chapter without cards.
    """
    makers = list(_makers(chapter))
    rng = random.Random(f"{chapter} {seed}")
    rng.shuffle(makers)
    made = [maker(random.Random(f"{chapter} {seed} {maker.__name__}")) for maker in makers]
    mine = {diagnosis for _, diagnosis in mistakes}
    made.sort(key=lambda card: not mine.intersection(card.about))  # stable: the rest stays shuffled
    return made[:count]


@cache
def _makers(chapter):
    path = ROOT / chapter / "recall.py"
    if not path.is_file():
        have = ", ".join(sorted(each.parent.name for each in ROOT.glob("*/recall.py")))
        raise ValueError(f"expected a chapter with recall cards, one of {have}, not {chapter!r}")
    spec = importlib.util.spec_from_file_location(f"evolution.exercises.{chapter}.recall", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return tuple(module.CARDS)
