"""A Diff in letters: for terminals, screen readers and whatever shows no pictures."""

SIGNS = {"same": " ", "changed": "±", "gone": "-", "new": "+", "kept": " ", "prose": " "}


def text(scene):
    """Return the text twin of a scene of diff_scene; its first line is the sentence."""
    old, new = scene["old"]["name"], scene["new"]["name"]
    lines = [said(scene), "", f"{old} -> {new}"]
    for kind, sign in (("new", "+"), ("gone", "-")):
        if scene["calls"][kind]:
            lines.append(f"{sign} calls {', '.join(scene['calls'][kind])}")
    lines.append("")
    for part in scene["parts"]:
        for segment in part["segments"]:
            lines += [f"  … {segment['said']} …"] if segment["fold"] else _rows(segment["rows"])
        lines.append("")
    return "\n".join(lines).rstrip()


def said(scene):
    """Return the sentence of a scene: what the newer text says of the step, then the figures."""
    return f"{scene['words']} {scene['figures']}".strip()


def _rows(rows):
    for row in rows:
        for side, sign in (("old", "-"), ("new", "+")):
            if row[side] and (row["kind"] != "same" or side == "new"):
                mark = sign if row["kind"] == "changed" else SIGNS[row["kind"]]
                words = "".join(piece[1] for piece in row[side]["pieces"])
                yield f"{'~' if row['moved'] else mark} {words}".rstrip()
