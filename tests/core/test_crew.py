"""The books of a master: who is there, and when the next start is due."""

from evolution.core import crew


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


def test_starts_are_delayed_longer_after_each_young_death(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(crew, "time", clock)
    books = crew.Crew(1)
    delays = []
    for pid in range(8):
        assert books.needs_one
        books.add(pid)
        assert not books.needs_one
        books.remove(pid)
        before = clock.now
        while not books.needs_one:
            clock.now += 0.01
        delays.append(clock.now - before)
    assert delays == sorted(delays)
    assert delays[0] < 0.2 < 2 * crew.LAST_DELAY > delays[-1] > 4.9


def test_an_old_worker_is_replaced_at_once(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(crew, "time", clock)
    books = crew.Crew(2)
    books.add(1)
    books.add(2)
    clock.now += crew.YOUNG
    books.remove(1)
    assert books.needs_one
    assert list(books) == [2]


def test_a_failed_fork_waits_and_a_stranger_is_ignored(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(crew, "time", clock)
    books = crew.Crew(1)
    books.remove(12345)
    assert books.needs_one
    books.failed()
    assert not books.needs_one
    clock.now += crew.FIRST_DELAY
    assert books.needs_one
