"""Mystery servers: a right name with telling evidence is proven; weak evidence and wrong names are not."""

import os
import tempfile
from pathlib import Path

import pytest
from jupyter_client import KernelManager
from serving import PATIENCE

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

MISTAKES = {
    'case.accuse(11, "blocking", evidence=[1])': "expected a suspect, 1 to 10, not 11",
    'case.accuse("one", "blocking", evidence=[1])': "expected a suspect, 1 to 10, not 'one'",
    'case.accuse(1, "nginx", evidence=[1])': "expected a generation, one of blocking, fork, ",
    'case.accuse(1, "blocking")': "expected the numbers of the observations that your name ",
    'case.accuse(1, "blocking", evidence=1)': "expected the numbers of the observations that your name ",
    'case.accuse(1, "blocking", evidence=[1])': "expected an observation, and there is none yet; ",
    'case.probe(11, "ask")': "expected a suspect, 1 to 10, not 11",
    'case.probe(1, "silnt 1; ask")': "expected steps between semicolons, each one of silent N (1 to 1100), ",
    "case[0]": "expected a suspect, 1 to 10, not 0",
}
"""{what is typed: how the answer begins}; none of these starts a server."""


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


def test_what_is_proven_stays_proven():
    with mystery(seed=11) as case:
        number = where_is(case, "epoll_loop")
        telling, weak = (case.probe(number, words).number for words in ("sleeps", "silent 1; ask"))
        assert "It is proven already" not in repr(case.accuse(number, "epoll_loop", [weak]))
        proof = case.accuse(number, "epoll_loop", [telling])
        assert proof.proven and case.solved == 1
        again = case.accuse(number, "epoll_loop", [weak])
        assert not again.proven and "threads" in again.also  # the answer to this accusation, as before
        wrong = case.accuse(number, "blocking", [weak])
        assert wrong.against and wrong.lines()[0].startswith("✗ suspect")
        for told in (again, wrong):
            kept = f"It is proven already that suspect {number} is epoll_loop, and it stays proven."
            assert told.lines()[-1] == kept
        assert case.judgements[number] == proof and case.solved == 1
        assert repr(case).splitlines()[number].split()[1:3] == ["epoll_loop,", "proven"]
        assert case.accuse(number, "epoll_loop", [weak, telling]).lines() == proof.lines()


def test_a_later_name_takes_the_place_of_one_that_is_not_proven(case):
    number = where_is(case, "fork")
    weak = case.probe(number, "silent 1; ask").number
    case.judgements.pop(number, None)
    for name in ("threads", "blocking"):
        assert case.accuse(number, name, [weak]) is case.judgements[number]
    assert case.judgements[number].name == "blocking"


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


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_mistake_is_an_exception_for_a_program(typed):
    with pytest.raises((ValueError, IndexError)) as raised:
        eval(typed, {"case": Mystery(7)})
    assert str(raised.value).startswith(MISTAKES[typed]) and "\n" not in str(raised.value)


@pytest.fixture(scope="module")
def kernel():
    """A client of a kernel that has the case."""
    with tempfile.TemporaryDirectory() as folder:  # a socket's path is short, unix(7): not below tmp_path
        manager = KernelManager(transport="ipc", ip=f"{folder}/k", connection_file=f"{folder}/k.json")
        root = str(Path(__file__).parents[2])
        manager.start_kernel(cwd=root, env=os.environ | {"IPYTHONDIR": folder})
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=PATIENCE)
            first = "from evolution.course.mystery import mystery\ncase = mystery(seed=7)"
            assert client.execute_interactive(first, timeout=PATIENCE)["content"]["status"] == "ok"
            yield client
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_mistake_is_one_sentence_in_a_notebook(kernel, typed):
    said = []
    # stop_on_error would make the kernel drop the next cell if it comes too soon
    reply = kernel.execute_interactive(typed, timeout=PATIENCE, output_hook=said.append, stop_on_error=False)
    assert reply["content"]["status"] == "error"
    [shown] = [each["content"] for each in said if each["msg_type"] not in ("status", "execute_input")]
    assert len(shown["traceback"]) == 1 and shown["traceback"] == [shown["evalue"]]
    assert shown["evalue"].startswith(MISTAKES[typed])


def test_any_other_error_keeps_its_traceback_in_a_notebook(kernel):
    reply = kernel.execute_interactive(
        "case.observations[7]", timeout=PATIENCE, output_hook=lambda message: None, stop_on_error=False
    )
    assert reply["content"]["ename"] == "IndexError" and len(reply["content"]["traceback"]) > 1


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
