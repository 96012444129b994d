"""For the tests of the timeline: one after the other, each of the hand-made states."""

import pytest
import view_states as states

SHAPES = ("blocking", "prefork", "select", "reactor", "every_mark", "crowd")


@pytest.fixture(params=SHAPES)
def state(request):
    return getattr(states, request.param)()
