"""Who connects, in which order, and how many of each: a crowd whose numbers can still be changed.

    choice = Choice([("silent", 1, {"for": 2.0}), ("polite", 4, {})])
    choice.crowd({"silent": 2, "polite": 4, "dripping": 1})
        → [("silent", 2, {"for": 2.0}), ("dripping", 1, {}), ("polite", 4, {})]

Pure; a panel's sliders give the numbers.
"""

from evolution.lab.clients import CARDS


class Choice:
    """A crowd to start from: entries (card, n, options) in connecting order; other cards can be added.

    A card that was not asked for connects before the polite ones at the end, if the crowd ends with such:
    they are there to show what the others do to them.
    """

    def __init__(self, entries):
        self.given = dict.fromkeys(card for card, _, _ in entries)
        """The cards that were asked for."""
        newcomers = [(card, 0, {}) for card in CARDS if card not in self.given]
        here = len(entries) - (entries[-1][0] == "polite")
        self._entries = [*entries[:here], *newcomers, *entries[here:]]
        self._last = {card: index for index, (card, _, _) in enumerate(self._entries)}

    def asked(self, card):
        """Return how many of a card the crowd had at first."""
        return sum(n for name, n, _ in self._entries if name == card)

    def crowd(self, numbers):
        """Return the crowd with `numbers` ({card: n}) of each, without those of whom there are none.

        Of a card with several entries the last one grows; the later ones shrink first.
        """
        left, crowd = dict(numbers), []
        for index, (card, n, options) in enumerate(self._entries):
            taken = left[card] if index == self._last[card] else min(n, left[card])
            left[card] -= taken
            if taken:
                crowd.append((card, taken, options))
        return crowd


def words(crowd):
    """Return a crowd in words: "6 clients in this order: 1 silent, 5 polite"."""
    total = sum(n for _, n, _ in crowd)
    names = ", ".join(f"{n:,} {CARDS[card].label}" for card, n, _ in crowd)
    order = " in this order" if len(crowd) > 1 else ""
    return f"{total:,} client{'s' if total != 1 else ''}{order}: {names}" if crowd else "no clients"
