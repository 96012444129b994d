"""For all tests: an interrupt means an interrupt."""

import signal


def pytest_configure(config):
    """A shell starts background jobs with SIGINT ignored, and every child would inherit that (signal(7)):
    tests that press Ctrl-C would wait for ever."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
