import select


class Reactor:
    """Waits in epoll, and calls back. Callbacks of sockets get (sock, events), those of timers get nothing."""

    def add(self, sock, events, callback):
        """Watch sock for events (EPOLLIN, EPOLLOUT, or both)."""

    def modify(self, sock, events):
        """Watch it for these events from now on, and for no others."""

    def remove(self, sock):
        """Do not watch it any more; its callback is not called again."""

    def call_later(self, seconds, callback):
        """Call callback() once, not before `seconds` have passed."""

    def run(self):
        """Wait and call back for ever. A callback that raises harms nobody else; its traceback is printed."""
        raise NotImplementedError
