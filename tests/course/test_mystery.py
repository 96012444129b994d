"""Mystery servers: a right name with telling evidence is proven; weak evidence and wrong names are not."""

import pytest

from evolution.course import probes
from evolution.course.mystery import SUSPECTS, VARIANTS, Mystery, mystery

pytestmark = pytest.mark.xdist_group("mystery")  # what is measured once serves all tests of this file

TELLING = {
    "blocking": ["silent 1; ask"],
    "fork": ["silent 1; processes"],
    "threads": ["silent 1; sleeps; processes"],
    "prefork": ["sleeps"],
    "select_loop": ["silent 1100; ask"],
    "poll_loop": ["sleeps"],
    "epoll_loop": ["sleeps"],
    "reactor": ["sleeps"],
    "multireactor": ["processes", "sleeps"],
}


@pytest.fixture(scope="module")
def case():
    with mystery(seed=11) as opened:
        yield opened


def where_is(case, name):
    """The number of a suspect of this generation: a test may look at what a learner may not."""
    return [variant[0] for variant in case._hidden].index(name) + 1


@pytest.mark.parametrize("name", TELLING)
def test_a_right_name_with_telling_evidence_is_proven(case, name):
    number = where_is(case, name)
    seen = [case.probe(number, words).number for words in TELLING[name]]
    told = case.accuse(number, name, seen)
    assert told.proven, told


def test_evidence_that_fits_others_is_not_proof(case):
    number = where_is(case, "epoll_loop")
    told = case.accuse(number, "epoll_loop", [case.probe(number, "silent 1; ask").number])
    assert told.right and not told.proven
    assert {"threads", "select_loop", "poll_loop", "reactor"} <= set(told.also)


def test_a_wrong_name_meets_its_own_evidence(case):
    number = where_is(case, "blocking")
    told = case.accuse(number, "threads", [case.probe(number, "silent 1; ask").number])
    assert not told.right and not told.proven
    assert told.against == ("silent 1; ask → no answer; threads shows here: answered",)


def test_only_what_was_seen_can_be_cited(case):
    number = where_is(case, "prefork")
    other = case.probe(where_is(case, "fork"), "processes")
    with pytest.raises(ValueError, match="is of suspect"):
        case.accuse(number, "prefork", [other.number])
    with pytest.raises(ValueError, match="expected an observation"):
        case.accuse(number, "prefork", [999])
    with pytest.raises(ValueError, match="rests on"):
        case.accuse(number, "prefork", [])
    with pytest.raises(ValueError, match="expected a generation"):
        case.accuse(number, "nginx", [other.number])


def test_the_seed_decides_the_order_and_every_generation_is_there():
    one, again, other = Mystery(1), Mystery(1), Mystery(2)
    assert one._hidden == again._hidden != other._hidden
    assert sorted(one._hidden) == sorted(VARIANTS) and len(one._hidden) == SUSPECTS
    with pytest.raises(IndexError, match="1 to 10"):
        one[11]


@pytest.mark.parametrize("words", ["", "ask 3", "silent", "silent 0", "silent 1101", "knock", "ask; ; ask"])
def test_unknown_words_are_answered_with_the_known_ones(words):
    with pytest.raises(ValueError, match="silent N"):
        probes.parse(words)


def test_a_killed_child_is_seen_to_be_replaced_and_the_suspect_starts_afresh(case):
    number = where_is(case, "prefork")
    before = case[number].address
    assert case.probe(number, "kill; ask").seen == "replaced; answered"
    assert case[number].address != before


def test_nothing_gives_a_suspect_away(case):
    for suspect in case:
        assert set(vars(suspect)) == {"number", "address"}
        assert not any(variant[0] in repr(suspect) for variant in VARIANTS)


def test_closing_ends_every_server():
    with mystery(seed=3) as opened:
        servers = [opened._server(number) for number in (1, 2, 3)]
    assert not any(server.alive for server in servers)
