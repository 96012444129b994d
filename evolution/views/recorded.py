"""A recorded run, shown faintly until there is one of the learner's own: real, made with the lab."""

import json
from pathlib import Path

RECORDED = json.loads((Path(__file__).parent / "static" / "recorded.json").read_text(encoding="utf-8"))
"""A Timeline state: five clients at the blocking server, the first of them silent."""
