"""Three forks in a loop, in four forms: how many processes, and how many naps one after the other?"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from evolution.course.predict import Right
from evolution.course.sandbox import Limits, Sandbox
from evolution.course.verdict import TooSlow, Unrecognised, Wrong

FORMS = {"A": ("no", "inside"), "B": ("exit", "inside"), "C": ("no", "after"), "D": ("exit", "after")}
EXPECTED = {"A": (7, 7), "B": (3, 3), "C": (7, 3), "D": (3, 1)}
TRIES = 3
"""Naps that should overlap do not when the machine is busy for as long as a nap: then look again."""


def measure():
    """Return how many children and naps each form had, and the Timeline. Raises TooSlow."""
    for _ in range(TRIES):
        with ThreadPoolExecutor(len(FORMS)) as pool:
            runs = dict(zip(FORMS, pool.map(run, FORMS.values()), strict=True))
        found = {form: (len(lives) - 1, naps(lives)) for form, lives in runs.items()}
        if found == EXPECTED:
            break
    else:
        raise TooSlow(f"children and naps in a row were {found}: naps did not overlap as they should on this machine just now")
    facts = {
        f"{form.lower()}_{what}": n for form, pair in found.items() for what, n in zip(("children", "naps"), pair, strict=True)
    }
    return facts, picture(runs)


def run(form):
    """Run one form, bounded and watched; return {pid: {"parent", "events": [(event, t)]}}."""
    source = Path(__file__).with_name("host.py").read_text(encoding="utf-8")
    with Sandbox({"host.py": source}, ["host.py", *form], Limits(seconds=4, tasks=24)) as program:
        program.wait(5)
        program.stop()
        lives = {}
        for line in program.output.splitlines():
            pid, parent, event, t = line.split()
            life = lives.setdefault(int(pid), {"parent": int(parent), "events": []})
            life["events"].append((event, float(t)))
    if not lives:
        raise TooSlow("the program did not start within 4 s on this machine")
    return lives


def spans(life, first, last):
    """Return [(from, to)] of what lies between the events `first` and `last`."""
    begin, found = None, []
    for event, t in life["events"]:
        if event == first:
            begin = t
        elif event == last and begin is not None:
            found.append((begin, t))
            begin = None
    return found


def naps(lives):
    """Return the length of the longest row of naps that do not overlap."""
    count, free = 0, 0.0
    for begin, end in sorted((nap for life in lives.values() for nap in spans(life, "nap", "awake")), key=lambda nap: nap[1]):
        if begin >= free:
            count, free = count + 1, end
    return count


def picture(runs):
    """Return a Timeline of all processes: each asleep in its nap, or in wait."""
    lanes, last = [], 0.0
    for form, lives in runs.items():
        start = min(life["events"][0][1] for life in lives.values())
        ordered = sorted(lives.items(), key=lambda item: item[1]["events"][0][1])
        for number, (pid, life) in enumerate(ordered):
            asleep = [(begin, end, "sleep") for begin, end in spans(life, "nap", "awake")]
            asleep += [(begin, end, "wait") for begin, end in spans(life, "wait", "waited")]
            made, t = [], life["events"][0][1]
            for begin, end, call in sorted(asleep):
                made += [span("running", t - start, begin - start, ""), span("asleep", begin - start, end - start, call)]
                t = end
            stop = life["events"][-1][1] - start
            made.append(span("running", t - start, stop, ""))
            last = max(last, stop)
            label = f"{form}: child {number}" if number else f"{form}: parent"
            lanes.append({"id": f"p{pid}", "label": label, "spans": made, "end": {"state": "gone", "t": stop, "note": ""}})
    counts = ((form, len(lives) - 1, naps(lives)) for form, lives in runs.items())
    said = (f"{form}: {children} children, {row} nap{'s' * (row > 1)} in a row" for form, children, row in counts)
    sentence = "; ".join(said) + "."
    return {
        "title": "The four loops, each from its own start",
        "sentence": sentence,
        "now": last,
        "end": last,
        "processes": lanes,
    }


def span(state, begin, end, note):
    return {"state": state, "from": round(begin, 6), "to": round(end, 6), "note": note}


def judge(guesses, facts):
    """Return Right, Wrong or Unrecognised."""
    forever, exits = (guesses["a_children"], guesses["c_children"]), (guesses["b_children"], guesses["d_children"])
    loop = f"without exit: {facts['a_children']:g} children; with it: {facts['b_children']:g}"
    if forever == (3, 3):
        return Wrong("children_stop", loop)
    if 8 in forever or 4 in exits:
        return Wrong("counts_the_parent", loop, "the first process was there before the first fork")
    if any(3 < each < 7 for each in forever):
        return Wrong("linear_growth", loop)
    if guesses["b_naps"] == 3 and guesses["a_naps"] < 7 and guesses["a_children"] == 7:
        return Wrong(
            "only_the_first_waits",
            f"A: {facts['a_naps']:g} naps one after the other; look at its lanes: whoever has forked waits, children too",
        )
    if guesses["b_naps"] < 3:
        return Wrong(
            "wait_is_free",
            f"wait inside the loop: {facts['b_naps']:g} naps one after the other, with exit, and {facts['a_naps']:g} without",
        )
    if guesses["c_naps"] == 1 and guesses["d_naps"] == 1:
        return Wrong(
            "forks_before_its_nap",
            f"C: {facts['c_naps']:g} naps one after the other; look at its lanes: a child forks when it has woken up",
        )
    if guesses["c_naps"] == 2 and guesses["c_children"] == 7 and guesses["d_naps"] == 1:
        return Wrong(
            "generation_missing",
            f"C: {facts['c_naps']:g} naps one after the other; look at its lanes: a child, its child, and the child of that one",
        )
    if guesses["d_naps"] == 3 or guesses["c_naps"] == 7:
        return Wrong(
            "naps_take_turns", f"wait after the loop: {facts['d_naps']:g} nap deep with exit, and {facts['c_naps']:g} without"
        )
    if all(guesses[key] == facts[key] for key in facts):
        return Right(loop)
    return Unrecognised(loop)


def marks(guesses):
    """Counts have no place on the axis of time."""
    return []
