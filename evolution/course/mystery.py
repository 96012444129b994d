"""Mystery servers: ten ports, and behind each one of the generations. Which is it, and how do you know?

    case = mystery(seed=7)
    case.probe(3, "silent 1; ask")                    # an observation, with a number
    case.accuse(3, "blocking", evidence=[1])          # a name, and the observations that it rests on

The answer is judged, and so is the evidence: each observation that you cite is repeated here and now with
every generation. Evidence that fits another generation as well does not prove yours.
"""

import html
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from evolution import GENERATIONS
from evolution.course import probes
from evolution.course.probes import Mistake
from evolution.lab import launch

SUSPECTS = 10
AT_ONCE = 3
"""Servers that are tried at the same time while evidence is judged."""

TRIES = 3
"""How often a probe with chance in it is tried: which worker gets a client is decided anew each time."""

VARIANTS = [(name, ()) for name in GENERATIONS] + [("multireactor", ("--share", "listener"))]


class NoSuspect(Mistake, IndexError):
    """There is no suspect of this number."""


@dataclass(frozen=True)
class Observation:
    """What one probe showed."""

    number: int
    suspect: int
    probe: str
    seen: str

    def __repr__(self):
        return f"observation {self.number}: suspect {self.suspect}, {self.probe} → {self.seen}"


@dataclass(frozen=True)
class Judgement:
    """What an accusation is worth."""

    suspect: int
    name: str
    right: bool
    also: tuple
    """Other generations that show the same in each cited observation."""
    against: tuple
    """Cited observations that the named generation does not show, as lines."""
    before: str = ""
    """The name that was proven for this suspect before; no later accusation takes that back."""

    @property
    def proven(self):
        """The name is right, and no other generation fits the evidence."""
        return self.right and not self.also and not self.against

    def __repr__(self):
        return "\n".join(self.lines())

    def lines(self):
        """Return the judgement in words."""
        lines = self._lines()
        if self.before and not self.proven:
            kept = f"suspect {self.suspect} is {self.before}, and it stays proven"
            lines.append(f"It is proven already that {kept}.")
        return lines

    def _lines(self):
        head = f"suspect {self.suspect} is {self.name}"
        if self.against:
            return [f"✗ {head}? Your own evidence speaks against it.", *self.against]
        if self.also:
            fits = " and ".join(self.also)
            return [f"… {head}? Your evidence fits {fits} as well.", "Which probe would tell them apart?"]
        if not self.right:  # cannot be while evidence is measured: all suspects are among the generations
            return [f"✗ {head}? No generation shows just this at the moment; look again."]
        return [f"✓ {head}: of all generations only this one shows what you observed."]

    def _repr_mimebundle_(self, include=None, exclude=None):
        lines = "".join(f"<div>{html.escape(line)}</div>" for line in self.lines())
        return {"text/plain": repr(self), "text/html": f'<div class="evolution-judgement">{lines}</div>'}


class Suspect:
    """A port, and nothing that would give the server away; `lab.ask`, `lab.call` and `lab.knock` take it."""

    def __init__(self, number, address):
        self.number, self.address = number, address

    def __repr__(self):
        return f"suspect {self.number} at {self.address}"


class Mystery:
    """Ten servers in an order that only the seed knows. Close it, or use it in a `with` block.

    Raises LaunchError when a server cannot be started.
    """

    def __init__(self, seed):
        self._hidden = random.Random(seed).sample(VARIANTS, len(VARIANTS))
        self._servers = {}
        self._jury = {}
        self._seen = {}
        """{(variant, probe): the set of what it showed}: each is tried once for all accusations."""
        self.observations = []
        self.judgements = {}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def __getitem__(self, number):
        """Return one Suspect; its server starts when it is first looked at. Raises NoSuspect."""
        return Suspect(number, self._server(number).address)

    def __iter__(self):
        return (self[number] for number in range(1, SUSPECTS + 1))

    def probe(self, number, words):
        """Try a probe on one suspect; return the Observation.

        Raises Mistake for unknown words, and NoSuspect.
        """
        steps = probes.parse(words)
        seen = probes.run(self._server(number), steps)
        if "kill" in words:  # it is not the server that it was
            self._servers.pop(number).kill()
        self.observations.append(Observation(len(self.observations) + 1, number, probes.text(steps), seen))
        return self.observations[-1]

    def accuse(self, number, name, evidence=()):
        """Name the generation of one suspect; return the Judgement. What is proven once stays so.

        `evidence` lists the numbers of observations, of this suspect. Raises Mistake for a generation or an
        observation that there is not, or none at all, and NoSuspect.
        """
        _known(number)
        if name not in GENERATIONS:
            raise Mistake(f"expected a generation, one of {', '.join(GENERATIONS)}, not {name!r}")
        cited = [self._cited(number, each) for each in evidence] if isinstance(evidence, Iterable) else []
        if not cited:
            raise Mistake("expected the numbers of the observations that your name rests on, such as [1, 2]")
        shown = self._by_all(dict.fromkeys(each.probe for each in cited))
        fits = {
            variant[0]
            for variant in VARIANTS
            if all(each.seen in shown[variant, each.probe] for each in cited)
        }
        own = {words: shown[(name, ()), words] for words in dict.fromkeys(each.probe for each in cited)}
        against = tuple(
            f"{each.probe} → {each.seen}; {name} shows here: {' or '.join(sorted(own[each.probe]))}"
            for each in cited
            if name not in fits and each.seen not in own[each.probe]
        )
        right = self._hidden[number - 1][0] == name
        also = tuple(each for each in GENERATIONS if each in fits - {name})
        last = self.judgements.get(number)
        before = last.name if last and last.proven else ""
        told = Judgement(number, name, right, also, against, before)
        if not before:
            self.judgements[number] = told
        return told

    def close(self):
        """End all servers. No error when there is none."""
        for server in (*self._servers.values(), *self._jury.values()):
            server.kill()
        self._servers.clear()
        self._jury.clear()

    def __repr__(self):
        lines = [f"{SUSPECTS} suspects; {self.solved} named and proven"]
        for number in range(1, SUSPECTS + 1):
            told = self.judgements.get(number)
            state = f"{told.name}, {'proven' if told.proven else 'not proven'}" if told else "?"
            count = sum(each.suspect == number for each in self.observations)
            lines.append(f"  {number:>2}  {state:<26} {count} observation{'' if count == 1 else 's'}")
        return "\n".join(lines)

    @property
    def solved(self):
        """How many suspects are named, with evidence that fits no other generation."""
        return sum(told.proven for told in self.judgements.values())

    def _server(self, number):
        _known(number)
        server = self._servers.get(number)
        if server is None or not server.alive:
            server = self._servers[number] = _start(self._hidden[number - 1])
        return server

    def _cited(self, suspect, number):
        if not self.observations:
            raise Mistake("expected an observation, and there is none yet; case.probe makes one")
        if not isinstance(number, int) or not 1 <= number <= len(self.observations):
            raise Mistake(
                f"expected an observation, 1 to {len(self.observations)}, not {number!r}; "
                "case.observations lists them"
            )
        found = self.observations[number - 1]
        if found.suspect != suspect:
            raise Mistake(f"observation {number} is of suspect {found.suspect}, not of suspect {suspect}")
        return found

    def _by_all(self, wanted):
        """Return {(variant, probe): set of what it shows}, tried now where it is not known yet."""

        def attempt(variant):
            for words in wanted:
                if (variant, words) not in self._seen:
                    tries = TRIES if "slow" in words and variant[0] == "multireactor" else 1
                    steps = probes.parse(words)
                    self._seen[variant, words] = {
                        probes.run(self._juror(variant), steps) for _ in range(tries)
                    }

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(attempt, VARIANTS))
        return self._seen

    def _juror(self, variant):
        """Return a server of a known generation, with which an observation can be repeated."""
        server = self._jury.get(variant)
        if server is None or not server.alive:
            server = self._jury[variant] = _start(variant)
        return server


def mystery(seed):
    """Return a Mystery of ten servers; the same seed gives the same order."""
    return Mystery(seed)


def _known(number):
    """Raises NoSuspect unless it is the number of one."""
    if not isinstance(number, int) or not 1 <= number <= SUSPECTS:
        raise NoSuspect(f"expected a suspect, 1 to {SUSPECTS}, not {number!r}")


def _start(variant):
    name, options = variant
    return launch.start(name, args=options)
