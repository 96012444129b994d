"""All progress in one zip file, and back: what Binder's visitor takes home, and brings along the next time.

Restoring adds and never takes anything away: an answer that is here already stays, attempts are added behind
those that are here, and so are the answers to recall cards.
"""

import re
import zipfile
from contextlib import suppress
from pathlib import Path

MEMBER = re.compile(
    r"(?:history/[a-z_0-9]+/(?:\d{3,6}\.(?:py|json|verdict)|hints)|[a-z_0-9]+\.(?:py|json)|recall\.jsonl)"
)
LARGEST = 1_000_000
"""Bytes of one file that is taken from an archive."""

EXPECTED = "expected a file made by `progress --export` or the button beside the map"


def export(folder, path):
    """Write what belongs to the progress in `folder` into one zip file; return how many files it holds."""
    names = {each: each.relative_to(folder).as_posix() for each in sorted(folder.rglob("*"))}
    members = {each: name for each, name in names.items() if MEMBER.fullmatch(name)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, name in members.items():
            archive.write(each, name)
    return len(members)


def restore(progress, path):
    """Add what an exported file (a path or a binary file) holds; return how many files were added.

    Raises ValueError for a file that is no such export.
    """
    name = getattr(path, "name", path) if not isinstance(path, str | Path) else path
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            fit = [MEMBER.fullmatch(info.filename) and info.file_size <= LARGEST for info in infos]
            if not infos or not all(fit):
                raise ValueError(f"{EXPECTED}, {name} holds something else")
            held = {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{EXPECTED}, {name}: {error}") from None
    added = sum(_add(progress.folder / name, data) for name, data in held.items() if "/" not in name)
    for name in sorted({Path(each).parent.name for each in held if each.startswith("history/")}):
        added += _history(progress, name, held)
    return added


def _add(target, data):
    """Add one file of the answers folder itself; return whether anything is new."""
    if target.suffix == ".jsonl":
        return _lines(target, data.decode("utf-8", "replace").splitlines())
    if target.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return True


def _lines(target, lines):
    """Add the lines that are not here yet, in the order of time: the later answer to a card counts."""
    here = target.read_text(encoding="utf-8").splitlines() if target.exists() else []
    if set(lines) <= set(here):
        return False
    ordered = sorted({*here, *lines}, key=lambda line: line.rpartition('"when"')[2])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(f"{line}\n" for line in ordered), encoding="utf-8")
    return True


def _history(progress, name, held):
    """Add the attempts at one exercise behind those that are here; return how many files were added."""
    history = progress.history(name)
    known = {path.read_bytes() for path in history.glob("*.verdict")}
    history.mkdir(parents=True, exist_ok=True)
    number = max((int(path.stem) for path in history.glob("[0-9]*.verdict")), default=0)
    added = 0
    for verdict in sorted(
        each for each in held if each.startswith(f"history/{name}/") and each.endswith(".verdict")
    ):
        stem = verdict.removesuffix(".verdict")
        source = next((each for each in (f"{stem}.py", f"{stem}.json") if each in held), None)
        if held[verdict] in known or source is None:
            continue
        number += 1
        (history / f"{number:03}{Path(source).suffix}").write_bytes(held[source])
        (history / f"{number:03}.verdict").write_bytes(held[verdict])
        added += 2
    with suppress(KeyError, ValueError):
        progress.open_hint(name, int(held[f"history/{name}/hints"]))
    return added
