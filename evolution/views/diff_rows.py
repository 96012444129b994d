"""Two parts of a file line by line, as rows of what was beside what is: equal, changed, gone, new.

difflib finds what is equal; then lines that resemble each other are put side by side, and in these the words
that differ are marked. Only the space at the left of a line may differ between equal ones.
"""

from difflib import SequenceMatcher

ALIKE = 0.55
"""How much of two lines must agree for one to be a new version of the other."""

SLIGHT = frozenset({"", "try:", "else:", "finally:", "return", "pass", "break", ")", "]", "}"})
"""Lines too common to say that two places are the same."""


def rows(old, new):
    """Return rows (kind, index in old or None, index in new or None) for two lists of lines.

    Kinds: "same", "changed" (both, and alike), "gone", "new". Within a stretch of differences the gone and
    the new come in the order of the texts.
    """
    found = []
    for tag, a, b, c, d in _stretches([line.strip() for line in old], [line.strip() for line in new]):
        if tag == "equal":
            found += [("same", i, j) for i, j in zip(range(a, b), range(c, d), strict=True)]
        else:
            found += _paired(old, new, range(a, b), range(c, d))
    return found


def _stretches(old, new):
    """Return difflib's opcodes, where an equal line of no weight amid differences is a difference too."""
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    merged = []
    for number, (tag, a, b, c, d) in enumerate(codes):
        inside = 0 < number < len(codes) - 1
        if tag == "equal" and inside and b - a <= 2 and all(line in SLIGHT for line in old[a:b]):
            tag = "replace"
        if merged and tag != "equal" and merged[-1][0] != "equal":
            merged[-1] = ("replace", merged[-1][1], b, merged[-1][3], d)
        else:
            merged.append((tag, a, b, c, d))
    return merged


def _paired(old, new, left, right):
    """Put lines that are alike side by side, in order, so that they agree as much as possible."""
    score = [[0.0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            near = likeness(old[left[i]], new[right[j]])
            both = near + score[i + 1][j + 1] if near >= ALIKE else 0.0
            score[i][j] = max(both, score[i + 1][j], score[i][j + 1])
    i = j = 0
    while i < len(left) or j < len(right):
        near = likeness(old[left[i]], new[right[j]]) if i < len(left) and j < len(right) else 0.0
        if near >= ALIKE and score[i][j] == near + score[i + 1][j + 1]:
            yield ("same" if old[left[i]].strip() == new[right[j]].strip() else "changed"), left[i], right[j]
            i, j = i + 1, j + 1
        elif i < len(left) and (j == len(right) or score[i][j] == score[i + 1][j]):
            yield "gone", left[i], None
            i += 1
        else:
            yield "new", None, right[j]
            j += 1


def likeness(one, other):
    """Return how much of two lines agrees, 0 to 1, by the characters of their common words."""
    if (bare := without_comment(one)) == without_comment(other) and bare:
        return 1.0
    one, other = words(one.strip()), words(other.strip())
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    common = sum(len(word) for at, _, size in blocks for word in one[at : at + size] if not word.isspace())
    total = sum(len(word) for word in (*one, *other) if not word.isspace())
    return 2 * common / total if total else 1.0


def without_comment(line):
    """Return the code on a line, without the space around it and without a comment behind it."""
    return line.split("  #")[0].strip()


def words(line):
    """Split a line into names, numbers, single marks and spaces; together they are the line."""
    found = []
    for letter in line:
        kind = "name" if letter.isalnum() or letter == "_" else "space" if letter.isspace() else "mark"
        if found and found[-1][0] == kind != "mark":
            found[-1][1] += letter
        else:
            found.append([kind, letter])
    return [text for _, text in found]


def changed_words(old, new):
    """Return ([(start, end)] in the old line, the same in the new one): the stretches that differ.

    How deeply a line is indented makes no difference.
    """
    one, other = words(old.lstrip()), words(new.lstrip())
    left, right = [], []
    for tag, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag != "equal":
            left.append(_place(old, one, a, b))
            right.append(_place(new, other, c, d))
    return _joined(old, left), _joined(new, right)


def _place(line, parts, first, last):
    """Return where in a line, whose words these are, the words from `first` up to `last` stand."""
    indent = len(line) - len(line.lstrip())
    return indent + len("".join(parts[:first])), indent + len("".join(parts[:last]))


def _joined(line, stretches):
    """Join stretches with next to nothing between them: `a.b` is read as one word, not as three."""
    joined = []
    for start, end in stretches:
        if start == end:
            continue
        if joined and (start - joined[-1][1] <= 1 or not line[joined[-1][1] : start].strip()):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [_bare(line, start, end) for start, end in joined]


def _bare(line, start, end):
    """Return a stretch without the space at its ends, unless it is nothing else."""
    words = line[start:end].strip()
    at = line.index(words, start)
    return (at, at + len(words)) if words else (start, end)
