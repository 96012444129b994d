"""What came after: one conversation as generators, as coroutines, on asyncio. One process, nobody waits."""

import pytest

from evolution.lab import experiment, moves

AFTER = ("generators", "coroutines", "asyncio_streams")


@pytest.mark.parametrize("name", AFTER)
def test_silent_clients_hold_up_nobody_and_waits_overlap(name):
    crowd = [("silent", 3, {"for": 9}), ("polite", 6, {"path": "/slow?seconds=0.3", "gap": 0.0})]
    with moves.specimen(name) as server:
        lanes = experiment.run(server, crowd, seconds=5).story.as_dict()["lanes"]
        assert len(server.tree()) == 1 and len(server.tree()[0].threads) == 1
    polite = [lane for lane in lanes if lane["card"] == "polite"]
    ends = [lane["end"]["t"] for lane in polite]
    assert [lane["end"]["state"] for lane in polite] == ["done"] * 6
    assert max(ends) < min(lane["spans"][0]["from"] for lane in polite) + 6 * 0.3  # not one after the other


@pytest.mark.parametrize("name", AFTER)
def test_the_conversation_survives_pieces_pipelines_and_resets(name):
    with moves.specimen(name) as server:
        client = moves.call(server)
        for byte in b"GET / HTTP/1.1\r\nHost: me\r\n\r\n":
            client.send(bytes([byte]))
        client.sendall(b"GET / HTTP/1.1\r\nHost: me\r\n\r\n" * 2)
        seen = b""
        while seen.count(b"hello\n") < 3:
            data = client.recv(65536)
            assert data, seen
            seen += data
        client.close()
        experiment.run(server, [("resetting", 3, {"when": "reading"}), ("half_closing", 2)], seconds=3)
        assert moves.ask(server).status == 200
        assert server.alive and "Traceback" not in server.last_words


def test_the_loops_of_the_first_two_differ_in_one_word():
    """What await changes is the conversation; the loop below is the same."""
    loops = [moves.specimen_file(name).read_text().partition("poller = ")[2] for name in AFTER[:2]]
    assert loops[0].replace("next(task)", "task.send(None)") == loops[1]


def test_a_specimen_is_read_or_the_known_ones_are_named():
    with pytest.raises(ValueError, match="generators"):
        moves.specimen_file("saint")
