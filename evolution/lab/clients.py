"""The client cards: who can knock at a server, and in which order they do.

A card describes one kind of client and applies unchanged to every server model. A crowd is a list of cards
in connecting order; `plan` checks it and turns it into the JSON that the probe (probe.py) carries out:

    plan("tcp://127.0.0.1:9080", [("silent", 1, {"for": 2.0}), ("polite", 4)], seconds=5.0)

Nothing here opens a socket.
"""

import ipaddress
import resource
from dataclasses import dataclass

from evolution.core.address import Address

MOST = 12_000
"""Clients in one experiment."""

MOST_OF_A_GROUP = 10_000

LONGEST = 120.0
"""Seconds of one experiment."""

SPARE = 64
"""Descriptors that the probe needs for itself."""


class ClientError(ValueError):
    """The crowd cannot be played; the message says what was expected, what came and what to do."""


@dataclass(frozen=True)
class Option:
    """One thing that can be set on a card: a number from `low` to `high`, one of `choices`, or a path."""

    name: str
    default: float | int | str
    text: str
    unit: str = ""
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()

    def check(self, card, value):
        """Return `value` if it is allowed; raise ClientError otherwise."""
        if self.choices:
            if value not in self.choices:
                raise self._error(card, f"one of {', '.join(self.choices)}", value)
            return value
        if isinstance(self.default, str):
            if not (
                isinstance(value, str) and value.startswith("/") and len(value) <= 2000 and _plain(value)
            ):
                raise self._error(card, "a path such as / or /big, of printable ASCII without spaces", value)
            return value
        whole = isinstance(self.default, int)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or (whole and value != int(value)) or not self.low <= value <= self.high:
            kind = "a whole number" if whole else f"a number of {self.unit}"
            raise self._error(card, f"{kind} from {self.low:,} to {self.high:,}", value)
        return int(value) if whole else float(value)

    def _error(self, card, expected, value):
        return ClientError(f"{card}, option {self.name!r}: expected {expected}, not {value!r}")


@dataclass(frozen=True)
class Card:
    """One kind of client. `n` and `gap` are options of every card."""

    name: str
    title: str
    sentence: str
    options: tuple[Option, ...]

    @property
    def label(self):
        """How one of them is called in a sentence: "slow reader"."""
        return self.title.lower()

    @property
    def noun(self):
        """The same for "the …": "silent one", "slow reader"."""
        return self.label if " " in self.label else f"{self.label} one"

    @property
    def defaults(self):
        return {option.name: option.default for option in self.options}

    def check(self, options):
        """Return all options with defaults filled in; raise ClientError for an unknown or a bad one."""
        known = {option.name: option for option in self.options}
        for name in options:
            if name not in known:
                raise ClientError(f"{self.name} has no option {name!r}; it has {', '.join(known)}")
        return {
            name: option.check(self.name, options.get(name, option.default)) for name, option in known.items()
        }


def _plain(text):
    return all("!" <= letter <= "~" for letter in text)


def _n(default=1):
    return Option("n", default, "How many of them", "clients", 1, MOST_OF_A_GROUP)


def _gap(default=0.01):
    return Option("gap", default, "The pause before each of them connects", "seconds", 0, 10)


def _path(default="/"):
    return Option("path", default, "What it asks for")


def _stay(default=2.0):
    return Option("for", default, "How long it stays", "seconds", 0, LONGEST)


CARDS = {
    card.name: card
    for card in (
        Card(
            "polite",
            "Polite",
            "It sends one request, reads the answer, and closes.",
            (_n(3), _gap(), _path()),
        ),
        Card(
            "keep_alive",
            "Keep-alive",
            "It sends several requests on one connection and pauses between them.",
            (
                _n(),
                _gap(),
                _path(),
                Option("requests", 3, "How many requests it sends", "requests", 1, 100),
                Option("pause", 0.3, "The pause between an answer and the next request", "seconds", 0, 30),
            ),
        ),
        Card("silent", "Silent", "It connects, says nothing, and leaves.", (_n(), _gap(), _stay())),
        Card(
            "dripping",
            "Dripping",
            "It sends its request one byte at a time.",
            (
                _n(),
                _gap(),
                _path(),
                Option("interval", 0.05, "The pause between two bytes", "seconds", 0.001, 10),
            ),
        ),
        Card(
            "slow_reader",
            "Slow reader",
            "It asks for a big answer and reads it in sips.",
            (
                _n(),
                _gap(),
                _path("/big"),
                Option("sip", 4096, "What it reads at once", "bytes", 1, 1 << 20),
                Option("interval", 0.05, "The pause between two sips", "seconds", 0.001, 10),
                Option("window", 4096, "Its receive buffer (SO_RCVBUF)", "bytes", 2048, 1 << 20),
            ),
        ),
        Card(
            "half_closing",
            "Half-closing",
            "It sends its request, says that nothing more will come, and reads the answer.",
            (_n(), _gap(), _path()),
        ),
        Card(
            "resetting",
            "Resetting",
            "It breaks the connection off in the middle, with a reset.",
            (
                _n(),
                _gap(),
                _path(),
                Option("when", "asking", "In the middle of what", choices=("asking", "waiting", "reading")),
                Option("for", 0.2, "How long it waits before it resets", "seconds", 0, 30),
            ),
        ),
        Card(
            "pipelining",
            "Pipelining",
            "It puts several requests into one packet and reads the answers in order.",
            (_n(), _gap(), _path(), Option("requests", 5, "How many in one packet", "requests", 1, 500)),
        ),
        Card(
            "idle",
            "Idle",
            "A crowd that connects, holds on, and says nothing.",
            (_n(100), _gap(0.0), _stay()),
        ),
        Card(
            "vanishing",
            "Vanishing",
            "It connects and resets before the server can accept it.",
            (_n(10), _gap(0.0)),
        ),
    )
}


def plan(address, crowd, seconds=5.0, epoch=None):
    """Return the plan of one experiment as a dict that is JSON all through.

    `crowd` is a list of entries in connecting order, each a card's name, or (name, n), or
    (name, n, {option: value}). `seconds` bounds the whole experiment. `epoch` is the time.monotonic() at
    which it starts; None lets the probe take the moment when it is ready. Raises ClientError, and
    AddressError for an address that cannot be read.
    """
    host, port = check_target(*Address.parse(address))
    _number("seconds", seconds, 0.1, LONGEST)
    if isinstance(crowd, str) or not crowd:
        raise ClientError(f'expected a crowd such as [("silent", 1), ("polite", 4)], not {crowd!r}')
    groups, total, at = [], 0, 0.0
    for entry in crowd:
        card, options = _entry(entry)
        n, gap = options.pop("n"), options.pop("gap")
        at += gap if total else 0.0
        groups.append(
            {"card": card.name, "n": n, "first": total + 1, "at": at, "gap": gap, "options": options}
        )
        total += n
        at += (n - 1) * gap
    if total > most():
        raise ClientError(f"expected at most {most():,} clients on this machine, not {total:,}; take fewer")
    if at >= seconds:
        raise ClientError(
            f"the last client would connect after {at:.3g} s, but the experiment ends after {seconds:g} s; "
            "make the gap smaller or the experiment longer"
        )
    return {
        "host": host,
        "port": port,
        "seconds": float(seconds),
        "epoch": epoch,
        "clients": total,
        "groups": groups,
    }


def roster(plan):
    """Yield each client of a plan in connecting order as a dict: id, card, label, at (s), options."""
    count = {}
    for group in plan["groups"]:
        label = CARDS[group["card"]].label
        for index in range(group["n"]):
            count[label] = count.get(label, 0) + 1
            yield {
                "id": f"c{group['first'] + index}",
                "card": group["card"],
                "label": f"{label} {count[label]}",
                "at": group["at"] + index * group["gap"],
                "options": group["options"],
            }


def most():
    """Return how many clients one experiment may have here: each takes a descriptor (getrlimit(2))."""
    return min(MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE)


def check_target(host, port):
    """Return host and port if they are this machine's own; raise ClientError otherwise."""
    host = "127.0.0.1" if host == "localhost" else host
    try:
        near = ipaddress.IPv4Address(host) in ipaddress.IPv4Network("127.0.0.0/8")
    except ValueError:
        near = False
    if not near:
        raise ClientError(f"expected an address of this machine, 127.x.x.x, not {host!r}: the cards bite")
    if not port:
        raise ClientError("expected the port of a running server, not 0")
    return host, port


def _entry(entry):
    name, *rest = (entry,) if isinstance(entry, str) else entry
    if name not in CARDS:
        raise ClientError(f"expected one of the cards {', '.join(CARDS)}, not {name!r}")
    options = dict(rest.pop()) if rest and isinstance(rest[-1], dict) else {}
    if len(rest) > 1 or (rest and "n" in options):
        raise ClientError(f"expected (card, n, {{option: value}}), not {entry!r}")
    if rest:
        options["n"] = rest[0]
    return CARDS[name], CARDS[name].check(options)


def _number(name, value, low, high):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ClientError(f"{name}: expected a number from {low:g} to {high:g}, not {value!r}")
