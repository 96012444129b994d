"""The progress travels as one file: out of a notebook by one click, and into another one by an upload."""

import datetime
import io
import zipfile

from evolution.course import kept
from evolution.course.progress import Progress
from evolution.course.verdict import Verdict


def work(folder):
    progress = Progress(folder)
    progress.write("restart", "x = 1\n")
    progress.record("restart", "x = 1\n", Verdict("restart", "wrong", "no_option"))
    progress.open_hint("restart", 2)
    progress.recall("ch1_blocking/closes", False)
    return progress


def sent(card, message):
    """What the button answers to the browser."""
    answers = []
    card.download.send = lambda content, buffers=None: answers.append((content, buffers))
    card.download._clicked(card.download, message, None)
    return answers


def test_a_click_answers_with_one_file(notebook_folder):
    work("answers")
    ((content, (data,)),) = sent(kept.progress_card(), {"kind": "make"})
    assert content["kind"] == "file" and content["name"].endswith(".zip")
    assert set(zipfile.ZipFile(io.BytesIO(data)).namelist()) == {
        "restart.py",
        "recall.jsonl",
        "history/restart/001.py",
        "history/restart/001.verdict",
        "history/restart/hints",
    }


def test_what_is_not_asked_is_not_answered(notebook_folder):
    assert sent(kept.progress_card(), {"kind": "other"}) == []


def test_before_the_first_answer_there_is_a_word_and_no_file(notebook_folder):
    ((content, buffers),) = sent(kept.progress_card(), {"kind": "make"})
    assert content["kind"] == "failed" and "first answer" in content["words"] and buffers is None


def upload(card, data, name="mine.zip"):
    """What the browser sends when a file has been chosen."""
    file = {"name": name, "type": "application/zip", "size": len(data), "content": memoryview(data)}
    card.restore.value = [file | {"last_modified": datetime.datetime.now(datetime.UTC)}]


def test_an_upload_brings_it_back(notebook_folder):
    work("elsewhere").export("mine.zip")
    card = kept.progress_card()
    assert "0 attempts kept" in card.twin_text
    upload(card, (notebook_folder / "mine.zip").read_bytes())
    assert "4 files added" in card.said.value
    assert "1 attempt kept" in card.state.value
    there = Progress()
    assert there.attempts("restart")[0].diagnosis == "no_option" and there.hints("restart") == 2
    assert there.recalled() == {"ch1_blocking/closes": False}
    assert there.answer("restart").read_text() == "x = 1\n"


def test_what_is_here_stays(notebook_folder):
    work("elsewhere").export("mine.zip")
    here = Progress()
    here.write("restart", "y = 2\n")
    here.recall("ch1_blocking/closes", True)
    upload(kept.progress_card(), (notebook_folder / "mine.zip").read_bytes())
    assert here.answer("restart").read_text() == "y = 2\n"
    assert here.recalled() == {"ch1_blocking/closes": True}, "the later answer counts"
    assert len((notebook_folder / "answers/recall.jsonl").read_text().splitlines()) == 2


def test_another_file_is_refused_in_words(notebook_folder):
    card = kept.progress_card()
    upload(card, b"no zip at all", "holiday.jpg")
    assert "holiday.jpg" in card.said.value and "expected" in card.said.value
