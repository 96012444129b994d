"""The cards and the plan: a crowd in the order of its connecting, and what is refused before it is played."""

import json
import subprocess
import sys

import pytest
from serving import PATIENCE

from evolution.lab.clients import CARDS, ClientError, plan, roster
from evolution.lab.conversations import SCRIPTS


def test_every_card_has_a_script_and_a_sentence():
    assert CARDS.keys() == SCRIPTS.keys()
    for card in CARDS.values():
        assert card.title[0].isupper() and card.sentence.endswith(".") and card.sentence[0].isupper()


@pytest.mark.parametrize("name", CARDS)
def test_defaults_lie_within_their_bounds(name):
    assert CARDS[name].check({}) == CARDS[name].defaults
    assert {"n", "gap"} <= CARDS[name].defaults.keys()


def test_a_plan_keeps_the_order_of_connecting():
    crowd = [("silent", 1), ("polite", 2, {"gap": 0.5}), "keep_alive", ("polite", 1)]
    who = list(roster(plan("127.0.0.1:80", crowd)))
    assert [each["id"] for each in who] == ["c1", "c2", "c3", "c4", "c5"]
    assert [each["label"] for each in who] == ["silent 1", "polite 1", "polite 2", "keep-alive 1", "polite 3"]
    assert [each["at"] for each in who] == pytest.approx([0, 0.5, 1.0, 1.01, 1.02])


def test_a_plan_survives_json():
    made = plan("127.0.0.1:80", [("silent", 1, {"for": 2}), ("resetting", 1, {"when": "reading"})])
    assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize(
    ("crowd", "said"),
    [
        ([], "expected a crowd"),
        ("polite", "expected a crowd"),
        ([("rude", 1)], "expected one of the cards polite"),
        ([("polite", 0)], "'n': expected a whole number from 1 to 10,000, not 0"),
        ([("polite", 1.5)], "'n': expected a whole number"),
        ([("polite", True)], "'n': expected a whole number"),
        ([("polite", 1, {"for": 1})], "polite has no option 'for'; it has n, gap, path"),
        ([("polite", 1, {"n": 2})], "expected (card, n, {option: value})"),
        ([("silent", 1, {"for": -1})], "'for': expected a number of seconds from 0 to 120"),
        ([("silent", 1, {"for": "long"})], "not 'long'"),
        ([("polite", 1, {"path": "big"})], "'path': expected a path such as /"),
        ([("polite", 1, {"path": "/a b"})], "without spaces"),
        ([("polite", 1, {"path": "/\r\nX: y"})], "without spaces"),
        ([("resetting", 1, {"when": "never"})], "expected one of asking, waiting, reading"),
        ([("polite", 3, {"gap": 5.0})], "the last client would connect after 10 s"),
        ([("idle", 10_000), ("idle", 10_000)], "clients on this machine, not 20,000"),
    ],
)
def test_a_crowd_that_cannot_be_played_is_explained(crowd, said):
    with pytest.raises(ClientError) as raised:
        plan("127.0.0.1:80", crowd)
    assert said in str(raised.value)


@pytest.mark.parametrize("seconds", [0, -1, 1000, "5", None, True])
def test_the_time_of_an_experiment_has_bounds(seconds):
    with pytest.raises(ClientError, match=r"seconds: expected a number from 0\.1 to 120"):
        plan("127.0.0.1:80", ["polite"], seconds)


@pytest.mark.parametrize("host", ["10.0.0.1", "0.0.0.0", "example.org", "128.0.0.1", "127.1"])
def test_only_this_machine_is_a_target(host):
    with pytest.raises(ClientError, match=r"127\.x\.x\.x"):
        plan((f"tcp://{host}:80"), ["polite"])


def test_the_probe_itself_refuses_other_machines():
    made = plan("127.0.0.1:80", ["polite"]) | {"host": "192.0.2.1"}
    done = subprocess.run(
        [sys.executable, "-m", "evolution.lab.probe"],
        input=json.dumps(made) + "\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert "192.0.2.1" in json.loads(done.stdout)["note"]


@pytest.mark.parametrize("text", ["", "{}\n", "nonsense\n", '{"host": "127.0.0.1", "port": 1}\n', "[1]\n"])
def test_what_is_no_plan_is_one_error(text):
    command = [sys.executable, "-m", "evolution.lab.probe"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (2, "")
    assert json.loads(done.stdout)["kind"] == "error"
