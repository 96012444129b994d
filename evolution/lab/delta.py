"""The difference between two JSON values, small when little changed: `patch(old, delta(old, new)) == new`.

A difference is one of
    {"=": value}                               something else altogether
    {".": {name: difference}, "-": [names]}    an object: members changed or added, members gone
    {"by": name, ".": {…}, "-": [keys]}        a list of objects sorted by the member `name`, which is a key
"""

KEYS = ("port", "fd", "tid", "pid", "inode")
"""Members that can be the key of a list, in order of preference; their values are whole numbers."""

_MISSING = object()


def delta(old, new):
    """Return the difference, None when there is none."""
    if old == new:
        return None
    if isinstance(old, dict) and isinstance(new, dict):
        return _members(old, new)
    key = _key(new) if isinstance(old, list) and isinstance(new, list) else None
    if key and _sorted_by(old, key):
        return {"by": key} | _members({each[key]: each for each in old}, {each[key]: each for each in new})
    return {"=": new}


def patch(old, difference):
    """Return the new value. Raises LookupError, TypeError or ValueError for a difference that is none."""
    if difference is None:
        return old
    if "=" in difference:
        return difference["="]
    if "by" in difference:
        key = difference["by"]
        items = _patch_members({each[key]: each for each in old}, difference, int)
        return [items[number] for number in sorted(items)]
    return _patch_members(old, difference, str)


def _members(old, new):
    changed = {}
    for name, value in new.items():
        before = old.get(name, _MISSING)
        if before is _MISSING:
            changed[name] = {"=": value}
        elif (change := delta(before, value)) is not None:
            changed[name] = change
    gone = [name for name in old if name not in new]
    return {".": changed, "-": gone} if gone else {".": changed}


def _patch_members(old, difference, kind):
    gone = set(difference.get("-", ()))
    new = {name: value for name, value in old.items() if name not in gone}
    for name, change in difference["."].items():
        name = kind(name)
        new[name] = patch(new.get(name), change)
    return new


def _key(items):
    """Return the member by which the list is sorted, each value once; None if there is none."""
    return next((key for key in KEYS if items and _sorted_by(items, key)), None)


def _sorted_by(items, key):
    last = -1
    for each in items:
        value = each.get(key) if isinstance(each, dict) else None
        if type(value) is not int or value <= last:
            return False
        last = value
    return True
