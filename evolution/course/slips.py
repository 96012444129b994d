"""Slips in Python itself: a name that is not there, a method that does not exist, a value of the wrong kind.

They say nothing about servers, so the verdict asks about the line and not about TCP. Only what the learner's
own line raised counts, and only kinds that no misconception about servers produces.
"""

import re
from typing import NamedTuple

TITLE = "Traceback (most recent call last):"

NONE = r"AttributeError: 'NoneType' object has no attribute '(.+?)'"
MODULE = r"AttributeError: module '(.+?)' has no attribute '(.+?)'"
OBJECT = r"AttributeError: '(.+?)' object has no attribute '(.+?)'"
BYTES = r"TypeError: a bytes-like object is required, not '(.+?)'"
CONCATENATE = r'TypeError: can only concatenate (\w+) \(not "(\w+)"\) to'
ARGUMENTS = r"TypeError: ([\w.]+)\(\) (?:missing|takes|got)"

QUESTIONS = {  # what Python says: what to ask about it; the first that fits
    r"UnboundLocalError: .*'(.+?)'": "`{0}` is this function's own name. Which line gives it a value first?",
    r"NameError: name '(.+?)'": "Which line gives `{0}` a value, and has Python come by there before?",
    r"ModuleNotFoundError: No module named '(.+?)'": "Is `{0}` in Python's own library, and spelt so?",
    r"ImportError: cannot import name '(.+?)'": "What does the module's documentation call it: `{0}`?",
    NONE: "Which call returned None, so that there is no `.{0}`?",
    MODULE: "What is it called in the module `{0}`, if not `{1}`?",
    OBJECT: "What kind of thing is a `{0}`, and what can it do instead of `.{1}`?",
    r"AttributeError": "What kind of thing stands before the dot in this line?",
    BYTES: "Sockets carry bytes. Where does the `{0}` in this line come from?",
    r"TypeError: can't concat (\w+) to (\w+)": "Which part of this line is `{1}`, and which is `{0}`?",
    CONCATENATE: "Which part of this line is `{0}`, and which is `{1}`?",
    ARGUMENTS: "Which arguments does `{0}` take, and which are handed over?",
    r"TypeError: .*NoneType": "Which value in this line is None, and which call returned it?",
    r"TypeError": "Of which kind is each value in this line, and which kind is expected there?",
}

KINDS = re.compile(
    r"(?:UnboundLocalError|NameError|ModuleNotFoundError|ImportError|AttributeError|TypeError): .*"
)


class Slip(NamedTuple):
    words: str
    """Python's own: `NameError: name 'nothing' is not defined`."""
    number: int
    """The learner's line."""
    question: str


def find(errors):
    """Return the first Slip in what a program printed on stderr, None when there is none."""
    for part in errors.split(TITLE)[1:]:
        frame = None
        for line in part.splitlines():
            if found := re.match(r'  File "(.+?)", line (\d+)', line):
                frame = found
            elif re.match(r"[\w.]+(?:Error|Exception|Interrupt|Exit)\b", line):  # what follows is another's
                if frame and frame[1].endswith("answer.py") and KINDS.fullmatch(line):
                    return Slip(line, int(frame[2]), question(line))
                break
    return None


def question(words):
    """Return what to ask about an exception of one of these KINDS."""
    for pattern, asked in QUESTIONS.items():
        if found := re.match(pattern, words):
            return asked.format(*found.groups())
    return None
