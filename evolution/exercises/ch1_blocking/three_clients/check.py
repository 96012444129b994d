"""Three clients, one at a time: what do the guessed waits betray?"""

from evolution.course.predict import Right
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.lab import experiment, launch

WORK = 0.2
"""Seconds of sleep in the server for each client."""


def measure():
    """Return the waits of three clients, and the Timeline. Raises TooSlow."""
    with launch.start("blocking") as server:
        crowd = [("polite", 3, {"path": f"/slow?seconds={WORK}", "gap": 0.0})]
        timeline = experiment.run(server, crowd, seconds=5.0, title="Three clients at a blocking server").story.as_dict()
    lanes = timeline["lanes"]
    begin = [lane["spans"][0]["from"] for lane in lanes]
    ends = [lane["end"] for lane in lanes]
    if any(end is None or end["state"] != "done" for end in ends):
        raise TooSlow("expected three clients to be answered within 5 s; see the picture")
    waits = [end["t"] - start for end, start in zip(ends, begin, strict=True)]
    facts = dict(zip(("first", "second", "third"), (round(wait, 4) for wait in sorted(waits)), strict=True))
    facts["connected"] = round(max(lane["spans"][0]["to"] - start for lane, start in zip(lanes, begin, strict=True)), 6)
    if facts["third"] > 3 * WORK * 1.5 or facts["connected"] > WORK / 2:
        raise TooSlow(f"0.2 s of sleep for each of three clients took {facts['third']:.2f} s on this machine just now")
    return facts, timeline


def judge(guesses, facts):
    """Return Right, Wrong or Unrecognised."""
    if "refused" in guesses.values():
        return Wrong("refused", "nobody was refused: all three handshakes were complete before the first answer")
    first, second, third = (guesses[key] for key in ("first", "second", "third"))
    near = facts["first"] / 2
    if abs(second - first) < near / 2 and abs(third - first) < near / 2:
        return Wrong("all_parallel", f"the second answer came {ms(facts['second'] - facts['first'])} after the first")
    if first < near <= second < near * 3 <= third < near * 5:
        return Wrong("off_by_one", f"even the first client waited {ms(facts['first'])}")
    if guesses["connected"] > near and guesses["connected"] > facts["connected"] * 20:
        return Wrong("connect_blocks", f"the third client was connected after {ms(facts['connected'])}, long before the first answer")
    for key, bound in (("first", near), ("second", near), ("third", near), ("connected", near)):
        if abs(guesses[key] - facts[key]) >= bound:
            return Unrecognised()
    return Right()


def ms(seconds):
    return f"{seconds * 1000:.3g} ms"


def marks(guesses):
    """Return the guesses as marks on the Timeline."""
    lanes = (("c1", "first"), ("c2", "second"), ("c3", "third"))
    return [{"lane": lane, "t": guesses[key], "label": "your prediction"} for lane, key in lanes if key in guesses and not isinstance(guesses[key], str)]
