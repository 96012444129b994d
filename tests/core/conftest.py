"""For the tests of the application: a connection to a new one, and no head known from before."""

import pytest
from wire import Wire

from evolution.core import http
from evolution.core.app import App


@pytest.fixture
def conn():
    http._known.clear()
    return Wire(App())
