"""Recall cards: new numbers each time, the same for the same seed; what went wrong comes again."""

import pytest

from evolution.course import exercise, recall
from evolution.course.progress import Progress
from evolution.course.verdict import Verdict

CHAPTERS = sorted(path.parent.name for path in recall.ROOT.glob("*/recall.py"))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_same_seed_the_same_cards_another_seed_other_numbers(chapter):
    one, again, other = (recall.cards(chapter, seed, count=99) for seed in (1, 1, 2))
    assert one == again
    assert {card.question for card in one} != {card.question for card in other}


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("seed", range(5))
def test_each_card_accepts_its_own_answer_only(chapter, seed):
    for card in recall.cards(chapter, seed, count=99):
        assert card.accepts(card.answer) and card.why
        if card.choices:
            assert [each for each in card.choices if card.accepts(each)] == [card.answer]
        else:
            assert card.accepts(f"{card.answer:g} {card.unit}".replace(".", ","))
            assert not card.accepts(card.answer * 1.1 + 1)
        with pytest.raises(ValueError, match="expected"):
            card.accepts("dunno")


def test_own_mistakes_come_first():
    for seed in range(20):
        (first, *_) = recall.cards("ch1_blocking", seed, [("survive", "per_recv_not_per_request")])
        assert "per_recv_not_per_request" in first.about


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_card_is_about_diagnoses_that_there_are(chapter):
    known = {code for task in exercise.catalogue().values() for code in task.diagnoses}
    made = recall.cards(chapter, 0, count=99)
    assert len(made) >= 3 and len({card.key for card in made}) == len(made)
    assert {code for card in made for code in card.about} <= known


def test_an_unknown_chapter_is_said():
    with pytest.raises(ValueError, match="ch1_blocking"):
        recall.cards("ch9", 1)


# --- and again, two chapters later ---


MADE_UP = """
from evolution.course.recall import Card


def first(rng):
    return Card(f"{CHAPTER} first {rng.randint(1, 10**9)}", 1, "s", about=("fires_twice",))


def second(rng):
    return Card(f"{CHAPTER} second", 2, "s", about=("no_option",))


def third(rng):
    return Card(f"{CHAPTER} third", 3, "s")


CARDS = (first, second, third)
"""


@pytest.fixture
def chapters(tmp_path, monkeypatch):
    """Four chapters with cards, and the real exercises for the mistakes."""
    for chapter in ("ch1_blocking", "ch2_fork", "ch3_select", "ch4_epoll"):
        (tmp_path / chapter).mkdir()
        text = MADE_UP.replace("{CHAPTER}", chapter)
        (tmp_path / chapter / "recall.py").write_text(text)
    monkeypatch.setattr(recall, "ROOT", tmp_path)
    recall._makers.cache_clear()
    yield Progress(tmp_path / "answers")
    recall._makers.cache_clear()


def came_again(chapter, progress, seed=1):
    return [card.key for card in recall.deck(chapter, seed, progress) if card.again]


def test_without_mistakes_there_are_the_chapters_own(chapters):
    for chapter in ("ch1_blocking", "ch3_select"):
        found = recall.deck(chapter, 1, chapters)
        assert [card.key.partition("/")[0] for card in found] == [chapter] * 3


def test_what_went_wrong_comes_again_two_chapters_later(chapters):
    chapters.recall("ch1_blocking/third", False)
    chapters.record("restart", "x", Verdict("restart", "wrong", "no_option"))
    assert came_again("ch2_fork", chapters) == []
    assert sorted(came_again("ch3_select", chapters)) == ["ch1_blocking/second", "ch1_blocking/third"]
    assert all(card.again == "chapter 1" for card in recall.deck("ch3_select", 1, chapters)[3:])
    assert sorted(came_again("ch4_epoll", chapters)) == ["ch1_blocking/second", "ch1_blocking/third"]


def test_a_right_answer_ends_it(chapters):
    chapters.record("restart", "x", Verdict("restart", "wrong", "no_option"))
    chapters.recall("ch1_blocking/second", True)
    chapters.recall("ch1_blocking/first", False)
    chapters.recall("ch1_blocking/first", True)
    assert came_again("ch3_select", chapters) == []


def test_the_numbers_are_new_and_the_seed_decides_them(chapters):
    chapters.recall("ch1_blocking/first", False)
    seen = {seed: recall.deck("ch3_select", seed, chapters)[3].question for seed in range(5)}
    assert len(set(seen.values())) == 5
    assert recall.deck("ch3_select", 3, chapters)[3].question == seen[3]


def test_the_last_chapter_has_the_cards_of_all_before(chapters):
    chapters.recall("ch4_epoll/first", False)
    chapters.recall("ch1_blocking/first", False)
    assert came_again("ch5_race", chapters) == ["ch4_epoll/first", "ch1_blocking/first"]
    (chapters.folder / "recall.jsonl").unlink()
    keys = [card.key for card in recall.deck("ch5_race", 1, chapters)]
    assert [key.partition("/")[0] for key in keys] == ["ch4_epoll", "ch3_select", "ch2_fork"]


@pytest.mark.parametrize("name", ["nope", "ch0_start", ""])
def test_a_chapter_without_cards_is_said(name, chapters):
    with pytest.raises(ValueError, match="expected a chapter with recall cards"):
        recall.deck(name, 1, chapters)
