"""One step of the classic Reactor as a figure: three places side by side, and the seven steps above them."""

import textwrap

from evolution.views import marks
from evolution.views.figure import LETTER, Figure, tip

TOKEN = {  # where a connection is: (word, meaning, fill, edge, ink)
    "list": ("watched", "in the kernel's interest list; nobody works for it", "page", "quiet", "ink"),
    "queue": ("queued", "reported ready, and on the request queue", "page", "queued", "queued"),
    "hand": ("in hand", "one worker works for it", "served", "served", "onmark"),
    "two": ("in two hands", "two workers have it at the same time", "fail", "fail", "onmark"),
}
SIDE, GAP, PAD, ROW = 22, 6, 8, 28
STRANDS = {"epoll_wait": (-3.5, 0, 3.5), "sleeps in get": (0,)}
SLEEP = {"epoll_wait": marks.SLEEPS["many"], "sleeps in get": marks.SLEEPS["other"]}
FLAGS = {"IN": "input", "OUT": "room to send", "ONESHOT": "once"}


def draw(state, frame, width):
    """Return the Figure of one step."""
    return _Page(state, frame, width).draw()


def two_hands(frame):
    """True when two workers hold the same connection."""
    held = list(frame["hands"].values())
    return len(held) > len(set(held))


class _Page:
    def __init__(self, state, frame, width):
        self.state, self.frame, self.out = state, frame, Figure(width)
        self.width, self.narrow = width, width < 500
        self.names = "ABCDEFGH"[: state["clients"]]
        self.workers = sorted({who for each in state["frames"] for who in each["doing"] if who != "waiting"})

    def draw(self):
        y = self._strip()
        if self.narrow:
            y = self._waiting(0, y, self.width) + 10
            y = self._queue(0, y, self.width) + 10
            y = self._workers(0, y, self.width)
        else:
            room = self.width - 2 * 26
            first, middle = round(room * 0.37), round(room * 0.24)
            last = room - first - middle
            left, right = first + 26, first + middle + 52
            heights = (
                self._waiting(0, y, first),
                self._queue(left, y, middle),
                self._workers(right, y, last),
            )
            self._arrow(first + 4, y + 18, frame_step=(3, 6))
            self._arrow(left + middle + 4, y + 18, frame_step=(4, 7))
            y = max(heights)
        self.out.height = self._key(y + 14)
        return self.out

    # --- the seven steps ---
    def _strip(self):
        each = self.width / 7
        for number, words in enumerate(self.state["steps"], 1):
            now = number == self.frame["step"]
            x = each * (number - 1)
            pens = {"fill": "served" if now else "pale", "stroke": "served" if now else "rule"}
            said = tip(f"step {number}", words)
            facts = {"step": number, "now": int(now)}
            self.out.add("rect", x=x + 1, y=0, width=each - 4, height=22, rx=3, stroke_width=1, paint=pens,
                         name=f"step {number}", tip=said, data=facts, item=True)  # fmt: skip
            ink = "onmark" if now else "soft"
            self.out.text(x + each / 2 - 1, 11.5, number, ink, "heading", "middle")
            if self.narrow:
                continue
            for i, line in enumerate(textwrap.wrap(words, max(6, int((each - 4) / LETTER)))[:2]):
                self.out.text(x + each / 2 - 1, 33 + 13 * i, line, "ink" if now else "soft", "", "middle")
        if self.narrow:
            words = self.state["steps"][self.frame["step"] - 1]
            self.out.text(0, 34, f"{self.frame['step']}: {words}", "ink", "heading")
        return 52 if self.narrow else 66

    # --- the three places ---
    def _card(self, x, y, width, height, title, note="", colour="soft"):
        pens = {"fill": "page", "stroke": "rule"}
        self.out.add("rect", x=x + 0.5, y=y + 0.5, width=width - 1, height=height - 1, rx=5, stroke_width=1,
                     paint=pens, name=f"card {title}")  # fmt: skip
        self.out.text(x + PAD, y + 14, title, "soft", "heading")
        if note:
            self.out.text(x + width - PAD, y + 14, note, colour, "heading" if colour == "fail" else "", "end")

    def _thread(self, x, y, width, who, doing):
        """A thread as a bar: solid when it runs, pale with strands when it sleeps."""
        asleep = doing in SLEEP
        said = tip(who, "asleep: " + SLEEP[doing][1] if asleep else "running", words=doing)
        pens = {"fill": "pale" if asleep else "busy"}
        facts = {"thread": who, "doing": doing}
        self.out.add("rect", x=x, y=y - 8, width=width, height=16, rx=2, paint=pens, name=f"thread {who}",
                     tip=said, data=facts, item=True)  # fmt: skip
        self.out.text(x + 6, y + 0.5, doing, "ink" if asleep else "onmark", "call")
        begin = x + 12 + 6.8 * len(doing)
        if asleep and begin < x + width - 6:
            _, _, _, dash, colour = SLEEP[doing]
            for dy in STRANDS[doing]:
                self.out.line(begin, y + dy, x + width - 4, y + dy, colour, 1.3, dash or None)

    def _waiting(self, x, y, width):
        height = 62 + ROW * len(self.names)
        self._card(x, y, width, height, "the waiting thread")
        self._thread(
            x + PAD, y + 34, width - 2 * PAD, "the waiting thread", self.frame["doing"].get("waiting", "")
        )
        for i, name in enumerate(self.names):
            row = y + 66 + ROW * i
            flags = self.frame["epoll"].get(name)
            if flags is None:
                self.out.text(x + PAD + SIDE + 8, row, "not accepted yet", "soft")
                continue
            said = tip(f"connection {name}", f"in the interest list: {flags or 'silent until it is armed'}")
            self._token(x + PAD, row, name, "list", said, f"list {name}")
            words = ", ".join(FLAGS[flag] for flag in flags.split()) or "silent"
            self.out.text(x + PAD + SIDE + 8, row, words, "ink" if flags else "soft")
            if flags and width > 215:
                self.out.text(x + width - PAD, row, flags, "soft", "call", "end")
        return y + height

    def _queue(self, x, y, width):
        length = self.frame["length"]
        columns = max(1, int((width - 2 * PAD + GAP) / (SIDE + GAP)))
        rows = 1 if self.narrow else 4
        height = 52 + rows * ROW if self.narrow else 62 + ROW * len(self.names)
        counted = f"{length:,}"
        self._card(x, y, width, height, "request queue", counted, "fail" if length > 8 else "queued")
        fit = min(columns * rows, len(self.frame["queue"]))
        for i, name in enumerate(self.frame["queue"][:fit]):
            place = (x + PAD + (i % columns) * (SIDE + GAP), y + 40 + (i // columns) * ROW)
            said = tip(f"entry {i + 1} of the queue: {name}", TOKEN["queue"][1])
            self._token(*place, name, "queue", said, f"queue {i}")
        if length > fit:
            self.out.text(x + PAD, y + height - 12, f"and {length - fit:,} more", "fail", "heading")
        if not length:
            self.out.text(x + PAD, y + 40, "empty", "soft")
        return y + height

    def _workers(self, x, y, width):
        held = list(self.frame["hands"].values())
        for who in self.workers:
            name = self.frame["hands"].get(who)
            place = "two" if held.count(name) > 1 else "hand"
            self._card(
                x, y, width, 54, who, "two workers in one socket" if name and place == "two" else "", "fail"
            )
            if name:
                said = tip(f"{who} has {name}", TOKEN[place][1])
                self._token(x + PAD, y + 34, name, place, said, f"hand {who}")
            shift = SIDE + GAP
            doing = self.frame["doing"].get(who, "not started")
            self._thread(x + PAD + shift, y + 34, width - 2 * PAD - shift, who, doing)
            y += 64
        return y - 10

    # --- small marks ---
    def _token(self, x, y, name, place, said, mark):
        _, _, fill, edge, ink = TOKEN[place]
        pens = {"fill": fill, "stroke": edge}
        facts = {"conn": name, "place": place}
        self.out.add("rect", x=x + 0.75, y=y - SIDE / 2 + 0.75, width=SIDE - 1.5, height=SIDE - 1.5, rx=4,
                     stroke_width=1.5, paint=pens, name=mark, key=f"place.{place}", tip=said, data=facts,
                     item=True)  # fmt: skip
        self.out.text(x + SIDE / 2, y + 0.5, name, ink, "heading", "middle")

    def _arrow(self, x, y, frame_step):
        colour = "served" if self.frame["step"] in frame_step else "quiet"
        self.out.add("path", d=f"M{x} {y}h14m-5 -4l5 4l-5 4", stroke_width=1.6, paint={"stroke": colour},
                     name=f"arrow {frame_step[0]}")  # fmt: skip

    def _key(self, y):
        x = 0
        for place, (word, meaning, fill, edge, _) in TOKEN.items():
            if place == "two" and self.state["oneshot"]:
                continue
            room = 22 + len(word) * 6.4 + 14
            if x + room > self.width:
                x, y = 0, y + 20
            pens = {"fill": fill, "stroke": edge}
            self.out.add("rect", x=x + 0.75, y=y - 6, width=14, height=14, rx=3, stroke_width=1.5, paint=pens)
            self.out.text(x + 20, y + 1, word)
            self.out.hit(
                x - 2, y - 9, room - 8, 20, lights=f"place.{place}", tip=tip(word, meaning), item=True
            )
            x += room
        return y + 14
