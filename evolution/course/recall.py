"""Recall cards: a small sum from an earlier chapter, with new numbers each time.

    cards("ch1_blocking", seed=7)        three from the chapter
    deck("ch3_select", 7, progress)      three from the chapter, and again those of chapter 1 that went wrong

A card goes wrong when its answer does, or when the learner has made a mistake that it is about. It comes
again two chapters later, and in each chapter after that, until it has been answered right.

The cards of a chapter are functions in exercises/CHAPTER/recall.py, listed in CARDS: `card(rng)` returns a
Card made with the numbers that `rng` gave. The same seed gives the same cards.
"""

import importlib.util
import random
import re
from dataclasses import dataclass, replace
from functools import cache

from evolution.course import exercise
from evolution.course.exercise import ROOT

COUNT = 3
"""Cards of a chapter, and at most as many from before it."""

LATER = 2
"""Chapters after which a card that went wrong comes again."""


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
    key: str = ""
    """CHAPTER/FUNCTION: the same card, whatever its numbers."""
    again: str = ""
    """The chapter that it comes from, when that is an earlier one: "chapter 1"."""

    def accepts(self, typed):
        """Return whether what was typed is right: within 2 % for a number, the word itself for a choice.

        Raises ValueError for something that is neither.
        """
        if self.choices:
            if str(typed).strip() not in self.choices:
                raise ValueError(f"expected one of {', '.join(self.choices)}, not {typed!r}")
            return str(typed).strip() == self.answer
        text = str(typed).strip().lower().replace(",", ".").removesuffix(self.unit.lower()).strip()
        try:
            number = float(text)
        except ValueError:
            raise ValueError(f"expected a number of {self.unit}, not {typed!r}") from None
        return abs(number - self.answer) <= max(1e-9, 0.02 * abs(self.answer))


def cards(chapter, seed, mistakes=(), count=COUNT):
    """Return `count` Cards of a chapter; those about `mistakes`, pairs (exercise, diagnosis), come first.

    Raises ValueError for a chapter without cards.
    """
    made = _shuffled(chapter, seed)
    mine = {diagnosis for _, diagnosis in mistakes}
    made.sort(key=lambda card: not mine.intersection(card.about))  # stable: the rest stays shuffled
    return made[:count]


def deck(chapter, seed, progress):
    """Return the Cards for the end of a chapter: its own, and those from before it that went wrong.

    A chapter without cards of its own gets them from all chapters before it. Raises ValueError for a chapter
    with neither.
    """
    number, mistakes = _number(chapter), progress.mistakes()
    before = [each for each in _chapters() if number and _number(each) < number]
    if chapter in _chapters() or not before:
        own = cards(chapter, seed, mistakes)
        before = [each for each in before if _number(each) <= number - LATER]
    else:
        own = []
    results, again = progress.recalled(), []
    for each in reversed(before):  # the nearest first
        mine = {diagnosis for name, diagnosis in mistakes if exercise.load(name).chapter == each}
        for card in _shuffled(each, seed):
            last = results.get(card.key)
            if last is False or (last is None and mine.intersection(card.about)):
                again.append(replace(card, again=f"chapter {_number(each)}"))
    if not own and not again:
        again = [card for each in reversed(before) for card in cards(each, seed, count=1)]
    return [*own, *again[:COUNT]]


def _shuffled(chapter, seed):
    makers = list(_makers(chapter))
    random.Random(f"{chapter} {seed}").shuffle(makers)
    made = []
    for maker in makers:
        card = maker(random.Random(f"{chapter} {seed} {maker.__name__}"))
        made.append(replace(card, key=f"{chapter}/{maker.__name__}"))
    return made


def _chapters():
    """Return the chapters that have cards, in the order of the course."""
    return sorted((path.parent.name for path in ROOT.glob("*/recall.py")), key=_number)


def _number(chapter):
    """Return 3 for "ch3_select", 0 for what is no chapter."""
    found = re.match(r"ch(\d+)_", chapter)
    return int(found[1]) if found else 0


@cache
def _makers(chapter):
    path = ROOT / chapter / "recall.py"
    if not path.is_file():
        have = ", ".join(_chapters())
        raise ValueError(f"expected a chapter with recall cards, one of {have}, not {chapter!r}")
    spec = importlib.util.spec_from_file_location(f"evolution.exercises.{chapter}.recall", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return tuple(module.CARDS)
