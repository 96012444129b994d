"""What the map says: where the learner stands, in states and in words."""

from evolution.views.shapes import tag

OUTCOMES = {"passed": "passed", "tried": "tried, not passed yet", "open": "not tried yet"}
SIGNS = {"passed": "●", "tried": "◐", "open": "○"}


def passed(chapter):
    """How many exercises of a chapter are passed."""
    return sum(each["outcome"] == "passed" for each in chapter["exercises"])


def went(chapter):
    """How a chapter went: "3 of 7 exercises"."""
    count = len(chapter["exercises"])
    return f"{passed(chapter)} of {count} exercise{'s' if count > 1 else ''}"


def state_of(chapter, state):
    """Return done, next (the first that is not), open, or to-come."""
    if not chapter["ready"]:
        return "to-come"
    if done(chapter):
        return "done"
    first = next(each for each in state["chapters"] if each["ready"] and not done(each))
    return "next" if first is chapter else "open"


def done(chapter):
    """Whether all exercises of a chapter are passed; one without exercises never is."""
    return bool(chapter["exercises"]) and passed(chapter) == len(chapter["exercises"])


def said(state):
    """Return the sentence of the map: how far the learner has come, and what is next."""
    chapters = state["chapters"]
    models = sum(len(chapter["models"]) for chapter in chapters)
    count = sum(len(chapter["exercises"]) for chapter in chapters)
    won = sum(map(passed, chapters))
    told = f"{models} servers in {len(chapters)} chapters; you have passed {won} of {count} exercises."
    ahead = [each for each in chapters if state_of(each, state) == "next"]
    return told + (f" Next: chapter {ahead[0]['number']}, {ahead[0]['title']}." if ahead else "")


def text(state):
    """Return the text twin of a map; its first line is the sentence."""
    lines = [said(state), ""]
    for chapter in state["chapters"]:
        dots = "".join(SIGNS[each["outcome"]] for each in chapter["exercises"])
        when = f"about {chapter['minutes']} min" if chapter["ready"] else "to come"
        lines.append(f"{chapter['number']}  {chapter['title']:44} {when:14} {dots}".rstrip())
        lines += [f"     {model['name']:14}{model['idea']}" for model in chapter["models"]]
    return "\n".join(lines)


def dot(outcome, paint):
    """Return the mark of an exercise as SVG elements around (0, 0): solid, half or hollow."""
    ring = tag(
        "circle",
        r=4.4,
        fill=paint("page"),
        stroke=paint("sending" if outcome != "open" else "quiet"),
        stroke_width=1.5,
    )
    if outcome == "passed":
        return tag("circle", r=5, fill=paint("sending"))
    return ring + (
        tag("path", d="M0 -4.4A4.4 4.4 0 0 0 0 4.4Z", fill=paint("sending")) if outcome == "tried" else ""
    )
