"""How network servers evolved: nine models of one server, each in a file that reads top to bottom."""

GENERATIONS = (
    "blocking",
    "fork",
    "threads",
    "prefork",
    "select_loop",
    "poll_loop",
    "epoll_loop",
    "reactor",
    "multireactor",
)
"""The models in the order of the course; `evolution.<name>.Worker` is the server."""

__version__ = "0.1.0"
