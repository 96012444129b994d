"""The race: all models side by side on this machine, in one run, each measurement on a fresh server.

    race = Race(models=("blocking", "epoll_loop"))
    race.start()
    race.wait()
    print(race)

One server at a time is measured, and all of them in each measurement before the next one begins, so that a
slow moment of the machine hits neighbours. The load comes in rounds, which give the spread.
"""

import argparse
import sys
import threading

import evolution
from evolution.lab.contenders import contenders
from evolution.lab.experiment import PATIENCE, ExperimentError
from evolution.lab.guarded import LaunchError
from evolution.lab.measuring import MeasureError, Yardstick, kib, stamp
from evolution.lab.race_figures import CROWDS, Value, add, columns, crowd, latency, rate_words, us_words
from evolution.lab.recording import this_machine
from evolution.lab.sentence import number
from evolution.lab.sentence import seconds as in_words

ROUNDS = 3
"""Rounds of load."""

STEP_WITHIN = 60.0
"""Seconds after which a measurement is given up."""


class Race:
    """See the module. `models` as in contenders.contenders; `seconds` is the length of one round of load.

    Raises LaunchError for unknown models.

    With `others`, what of nginx, asyncio and PHP is installed runs beside the models.
    """

    def __init__(self, models=evolution.GENERATIONS, seconds=1.0, others=True):
        if not 0.2 <= seconds <= 10:
            raise ExperimentError(f"expected rounds of 0.2 to 10 seconds, not {seconds!r}")
        self.columns = columns(float(seconds))
        self.contenders = contenders(models, others)
        self.values = {name: {} for name in self.contenders}
        """{contender: {column: Value}} as far as measured."""
        self.underway = None
        """(contender, step) of the measurement that goes on."""
        self.machine = this_machine()
        self.generator = ""
        """What made the load."""
        self._plan = self._steps()
        self._count, self._started = 0, False
        self._stop, self._done = threading.Event(), threading.Event()
        self._yardstick, self._lock = None, threading.Lock()

    def _steps(self):
        once = {column.step: column.options for column in self.columns if column.step != "crowd"}
        crowds = [("crowd", column.options) for column in self.columns if column.step == "crowd"]
        load = [("throughput", once.pop("throughput"))] * ROUNDS
        return [(name, *step) for step in [*load, *once.items(), *crowds] for name in self.contenders]

    # --- running ---

    @property
    def running(self):
        return self._started and not self._done.is_set()

    @property
    def progress(self):
        return self._count / len(self._plan)

    def start(self):
        """Start and return. Raises ExperimentError when it was started before."""
        if self._started:
            raise ExperimentError("this race was run before; make a new one to run it again")
        self._started = True
        threading.Thread(target=self._work, name="race", daemon=True).start()

    def stop(self):
        """End at once; what was measured stays. Harmless at any time."""
        self._stop.set()
        with self._lock:
            if self._yardstick:
                self._yardstick.close()
        if self._started:
            self._done.wait(PATIENCE)

    def wait(self, timeout=None):
        """Wait up to `timeout` seconds for the end; return whether it has come."""
        return self._done.wait(timeout)

    def _work(self):
        try:
            for name, step, options in self._plan:
                if self._stop.is_set():
                    break
                self.underway = (name, step)
                self._measure(name, step, options)
                self._count += 1
        finally:
            self.underway = None
            self._done.set()

    def _measure(self, name, step, options):
        try:
            server = self.contenders[name]()
            try:
                yardstick = Yardstick(server, [[step, options]])
                with self._lock:
                    self._yardstick = yardstick
                if self._stop.is_set():  # it came before there was anything to be ended
                    yardstick.close()
                found = yardstick.result(STEP_WITHIN)[step]
            finally:
                with self._lock:
                    self._yardstick = None
                server.kill()  # whoever is stuck would take its time over stopping in order
        except (LaunchError, MeasureError, OSError) as error:
            if not self._stop.is_set():
                self._failed(name, step, options, str(error))
            return
        self._take(name, step, options, found)

    def _take(self, name, step, options, found):
        """Put what was found into the values of a contender."""
        values = self.values[name]
        if step == "throughput":
            self.generator = found["by"]
            rate = values.setdefault("rate", Value())
            rate.limited = rate.limited or found["saturated"]
            answer = in_words(found["median"])
            rate.note = f"{found['by']} took {found['share']:.0%} of a core; median answer {answer}"
            add(rate, found["per_second"], rate_words)
            add(values.setdefault("cpu", Value()), found["us"], us_words)
        elif step == "hold":
            note = "" if found["each"] == "connection" else f"a {found['each']}"
            values["memory"] = Value(found["kib"], said=kib(found["kib"]), note=note)
        elif step == "crowd":
            values[f"crowd{options['connections']}"] = crowd(found)
        else:
            values[{"alone": "alone", "beside_silent": "silent", "beside_slow": "slow"}[step]] = latency(
                found
            )

    def _failed(self, name, step, options, why):
        for column in self.columns:
            if column.step == step and column.options == options:
                self.values[name].setdefault(column.name, Value(said="–", failed=False, note=why[:200]))

    # --- what came of it ---

    @property
    def ranking(self):
        """The contenders: by processor time for a request once the race is over, in their order before."""
        names = list(self.contenders)
        if self.running or not self._done.is_set():
            return names
        cost = {name: self.values[name].get("cpu", Value()).value for name in names}
        return sorted(names, key=lambda name: (cost[name] is None, cost[name] or 0.0))

    def as_dict(self):
        """Return the state of the Race view."""
        step = self.underway[1] if self.underway else None
        return {
            "title": "The race",
            "sentence": self.sentence,
            "columns": [
                {"name": column.name, "title": column.title, "scale": column.scale, "better": column.better}
                for column in self.columns
            ],
            "rows": [
                {
                    "name": name,
                    "peer": name not in evolution.GENERATIONS,
                    "cells": {each: vars(value).copy() for each, value in list(self.values[name].items())},
                }
                for name in self.ranking
            ],
            "underway": self.underway
            and {"name": self.underway[0], "columns": [c.name for c in self.columns if c.step == step]},
            "generator": self.generator,
            "running": self.running,
            "recorded": False,
            "machine": self.machine,
        }

    @property
    def sentence(self):
        """What was seen, in words, with its figures."""
        clauses = [
            *self._costs(),
            *self._stuck("silent", "a silent client"),
            *self._stuck("slow", "a slow reader"),
        ]
        clauses += [*self._crowds(), *self._limit()]
        if not clauses:
            return "Nothing has been measured yet."
        words = "; ".join(clauses)
        return f"{words[0].upper()}{words[1:]}."

    def _costs(self):
        costs = {name: value["cpu"] for name, value in self.values.items() if value.get("cpu", Value()).value}
        if costs:
            least, most = (pick(costs, key=lambda name: costs[name].value) for pick in (min, max))
            dearest = f", {costs[most].said} in {most}" if most != least else ""
            yield f"a request cost {costs[least].said} of a processor in {least}{dearest}"

    def _stuck(self, column, whom):
        names = [name for name, value in self.values.items() if value.get(column, Value()).failed]
        if names:
            yield f"{_list(names)} served nobody beside {whom}"

    def _crowds(self):
        for n in CROWDS:
            column = f"crowd{n}"
            seen = {name: value[column] for name, value in self.values.items() if column in value}
            all_of_them = [
                name for name, value in seen.items() if value.value is not None and not value.failed
            ]
            if seen and any(value.value is not None for value in seen.values()):
                count = number(len(all_of_them)) if all_of_them else "none"
                yield f"{count} of {number(len(seen))} answered {n:,} at once"

    def _limit(self):
        limited = [name for name, value in self.values.items() if value.get("rate", Value()).limited]
        if limited:
            yield f"where ≥ stands, {self.generator} and not the server was the limit"

    def table(self):
        """Return the figures as rows of words, the head first."""
        names = [column.name for column in self.columns]
        yield ["", *(column.title for column in self.columns)]
        for contender in self.ranking:
            found = self.values[contender]
            yield [contender, *(found[name].said if name in found else "" for name in names)]

    def markdown(self):
        """Return the race as Markdown, with its stamp."""
        head, *rows = self.table()
        lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
        return "\n".join([*lines, "", f"{self.sentence} {self.stamp}."]) + "\n"

    @property
    def stamp(self):
        return stamp(self.machine)

    def __repr__(self):
        lines = list(self.table())
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        pairs = (zip(line, widths, strict=True) for line in lines)
        rows = ["  ".join(f"{cell:{width}}" for cell, width in pair).rstrip() for pair in pairs]
        return "\n".join([self.sentence, "", *rows, self.stamp])


def _list(names):
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


class _Parser(argparse.ArgumentParser):
    """Its errors are one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv=None):
    """The command `race`; return its exit status."""
    parser = _Parser(prog="evolution race", description=__doc__.split("\n")[0])
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help=f"default: all of {', '.join(evolution.GENERATIONS)}"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a round of load (default 1)")
    parser.add_argument("--alone", action="store_true", help="without nginx, asyncio and PHP")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    args = parser.parse_args(argv)
    try:
        race = Race(args.models or evolution.GENERATIONS, args.seconds, not args.alone)
    except (LaunchError, ExperimentError) as error:
        print(f"evolution race: {error}", file=sys.stderr)
        return 1
    race.start()
    try:
        while not race.wait(0.2):
            if sys.stderr.isatty() and race.underway:
                said = f"{race.progress:4.0%}  {race.underway[0]}: {race.underway[1].replace('_', ' ')}"
                print(f"\r\033[K{said}", end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        race.stop()
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    print(race.markdown() if args.markdown else repr(race))
    return 0
