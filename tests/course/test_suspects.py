"""The desk of a mystery: its buttons do what the calls do, and a mistake is told in words."""

import pytest

from evolution.course.mystery import mystery
from evolution.course.suspects import desk


@pytest.fixture(scope="module")
def case():
    with mystery(seed=7) as opened:
        yield opened


def test_a_probe_becomes_an_observation_and_evidence(case):
    made = desk(case)
    made.suspect.value = number = [variant[0] for variant in case._hidden].index("poll_loop") + 1
    made.words.value = "sleeps"
    made.observe.click()
    [tick] = made.ticks.children
    assert tick.description == f"{case.observations[-1].number}: sleeps → asleep in poll"
    assert not tick.value and made.cited == []
    tick.value, made.name.value = True, "poll_loop"
    made.accuse.click()
    assert "only this one shows what you observed" in made.said.value
    assert case.judgements[number].proven
    made.words.value = "processes"
    made.observe.click()
    assert [each.description.rpartition("→ ")[2] for each in made.ticks.children] == [
        "asleep in poll",
        "1 process",
    ]
    assert made.cited == [tick.number]  # what was ticked stays so
    assert "poll_loop, proven" in made.twin_text and "poll_loop, proven" in made.all.value
    made.suspect.value = number % 10 + 1
    assert made.ticks.children == ()
    made.suspect.value = number
    assert made.ticks.children[0].number == tick.number


def test_a_weaker_accusation_does_not_take_a_proof_back(case):
    made = desk(case)
    made.suspect.value = number = [variant[0] for variant in case._hidden].index("poll_loop") + 1
    made.name.value = "poll_loop"
    for words, proven in (("sleeps", True), ("ask", False)):
        made.words.value = words
        made.observe.click()
        for tick in made.ticks.children:
            tick.value = tick.number == case.observations[-1].number
        made.accuse.click()
        assert ("only this one shows what you observed" in made.said.value) == proven
        assert case.judgements[number].proven and "poll_loop, proven" in made.twin_text
    assert "fits" in made.said.value and "it stays proven" in made.said.value


def test_mistakes_are_told_in_words(case):
    made = desk(case)
    made.words.value = "knock"
    before = len(case.observations)
    made.observe.click()
    assert "silent N" in made.said.value and len(case.observations) == before
    made.suspect.value = 9
    made.accuse.click()
    assert "rests on" in made.said.value
    assert not made.observe.disabled and not made.accuse.disabled


def test_it_can_be_read_without_a_widget(case):
    data = desk(case)._repr_mimebundle_()
    data = data[0] if isinstance(data, tuple) else data
    assert "10 suspects" in data["text/plain"] and "10 suspects" in data["text/html"]
