"""The lab: start a server in a process of its own, send it clients, and watch it through /proc.

    from evolution import blocking, lab
    server = lab.start(blocking)

The names are imported when they are first used, so that a test of /proc needs no widgets.
"""

from importlib import import_module

_HOME = {
    "start": "launch",
    "Server": "launch",
    "LaunchError": "guarded",
    "run": "pictures",
    "Experiment": "experiment",
    "panel": "panels",
    "xray": "pictures",
    "show": "pictures",
    "diff": "pictures",
    "calls": "trace_panel",
    "knock": "moves",
    "ask": "moves",
    "call": "moves",
    "pair": "moves",
    "table": "moves",
    "watch": "moves",
    "specimen": "moves",
    "specimen_file": "moves",
    "cost": "measured",
    "measure": "measures",
    "evolution_table": "measured",
    "survival": "measured",
    "race": "measured",
    "steps": "stepped",
    "share": "sharing",
    "deal": "sharing",
}
_MODULES = ("procfs",)

__all__ = [*_HOME, *_MODULES]


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
