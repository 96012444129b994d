"""Views: state in, pixels out. Each is a live widget with SVG and text twins; none knows a server."""

import importlib

__all__ = ["Diff", "Map", "Race", "Scaling", "Steps", "Survival", "SysCalls", "Timeline", "XRay"]


def __getattr__(name):  # so that the twins and the palette can be used without loading a widget library
    if name not in __all__:
        raise AttributeError(f"evolution.views has {', '.join(__all__)}; not {name!r}")
    return getattr(importlib.import_module(f"evolution.views.{name.lower()}"), name)
