"""What is handed on to the views of an X-ray: no more rows than anybody can look at."""

from evolution.lab.feed import MOST_ROWS, thin


def rows(count):
    return [{"n": n} for n in range(count)]


def test_long_lists_are_cut_and_what_is_missing_is_counted():
    crew = [{"pid": pid, "fds": rows(MOST_ROWS + 5), "threads": rows(1)} for pid in (1, 2)]
    xray = {"t": 1.0, "processes": crew, "connections": rows(MOST_ROWS + 3), "epolls": [{"entries": rows(3)}]}
    short = thin(xray)
    assert len(short["connections"]) == MOST_ROWS and short["t"] == 1.0
    assert [len(each["fds"]) for each in short["processes"]] == [MOST_ROWS] * 2
    assert short["hidden"] == {"fds": 10, "connections": 3}
    assert len(xray["connections"]) == MOST_ROWS + 3 and len(crew[0]["fds"]) == MOST_ROWS + 5  # untouched


def test_a_small_one_is_handed_on_as_it_is():
    xray = {"processes": [{"fds": rows(2), "threads": rows(1)}], "connections": rows(4)}
    assert thin(xray) == xray
