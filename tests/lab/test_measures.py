"""Rows of the evolution table: what two very different models show, and how the rows are kept."""

import json
from dataclasses import replace

import pytest

from evolution.lab import measures, measuring
from evolution.lab.measures import Row, Table

pytestmark = pytest.mark.xdist_group("measures")  # what is measured once serves all tests of this file

ROW = Row("epoll_loop", 0.00011, 0.00012, None, 8.1, 16, 0.4, "connection", 20, 1, 1,
          {"kernel": "Linux 6.18", "cores": 2, "python": "3.11.7", "date": "2026-11-24"})  # fmt: skip
STUCK = replace(ROW, model="blocking", silent=None, waited=2.0, kib=11000.0, each="process", held=1)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    names = ("blocking", "threads", "epoll_loop")
    return folder, {name: measures.measure(name, folder) for name in names}


def test_one_silent_client_is_enough_for_the_blocking_server(rows):
    _, found = rows
    assert found["blocking"].silent is None and found["blocking"].waited >= measures.HEAD_START
    assert found["threads"].silent is not None and found["epoll_loop"].silent is not None


def test_who_holds_twenty_connections(rows):
    _, found = rows
    crews = {name: (row.held, row.processes, row.threads, row.each) for name, row in found.items()}
    assert crews == {
        "blocking": (1, 1, 1, "process"),
        "threads": (20, 1, 21, "thread"),
        "epoll_loop": (20, 1, 1, "connection"),
    }
    assert found["epoll_loop"].kib < found["threads"].kib < found["blocking"].kib
    assert [row.connections for row in found.values()] == [1, 16, 16]
    assert all(row.cpu_us > 0 < row.alone for row in found.values())


def test_the_rows_are_kept_and_come_back_in_the_order_of_the_course(rows):
    folder, found = rows
    assert measures.table(folder).rows == list(found.values())
    assert [path.name for path in folder.iterdir()] == [measures.FILE]


def test_a_new_row_takes_the_place_of_the_old_one(tmp_path):
    for row in (ROW, STUCK, replace(ROW, cpu_us=99.0)):
        measures.put(row, tmp_path)
    assert [(row.model, row.cpu_us) for row in measures.table(tmp_path).rows] == [
        ("blocking", 8.1),
        ("epoll_loop", 99.0),
    ]


@pytest.mark.parametrize("text", ["", "[1, 2]", "{}", '[{"model": "blocking"}]', "nonsense"])
def test_a_damaged_file_counts_as_none(tmp_path, text):
    (tmp_path / measures.FILE).write_text(text)
    assert measures.table(tmp_path).rows == []
    measures.put(ROW, tmp_path)
    assert measures.table(tmp_path).rows == [ROW]


def test_a_later_version_may_know_more(tmp_path):
    measures.put(ROW, tmp_path)
    path = tmp_path / measures.FILE
    path.write_text(json.dumps([{**each, "new": 1} for each in json.loads(path.read_text())]))
    assert measures.table(tmp_path).rows == [ROW]


def test_the_forms():
    table = Table([ROW, STUCK])
    assert table.sentence.startswith(
        "Blocking served nobody beside one silent client; an idle connection costs "
    )
    for said in (repr(table), table.markdown(), table._repr_html_()):
        assert "nobody served for 2.0 s" in said and "11 MiB, a process" in said and "Python 3.11.7" in said
    assert table.markdown().splitlines()[2].startswith("| blocking |")
    assert repr(ROW).splitlines()[0] == "epoll_loop" and "0.4 KiB" in repr(ROW)
    assert "measure(model)" in repr(Table([])) and "measure(model)" in Table([])._repr_html_()


def test_a_step_that_fails_is_said():
    class Nobody:
        model, pid = "nobody", 1
        address = type("A", (), {"port": 1})

    with pytest.raises(measuring.MeasureError, match=r"expected figures of nobody, but alone: .*refused"):
        measuring.Yardstick(Nobody, [["alone", {}]]).result(20)
