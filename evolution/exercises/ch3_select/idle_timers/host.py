"""The program around serve: a listening socket, and a wall clock that somebody may set.

SIGUSR2 puts the time of day forward by an hour, as a machine does that has been asleep, or has asked the
network what time it is. `time.monotonic` takes no notice.
"""

import datetime
import faulthandler
import signal
import socket
import sys
import time

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

shift = [0]
time_of_day, time_of_day_ns = time.time, time.time_ns
time.time = lambda: time_of_day() + shift[0]
time.time_ns = lambda: time_of_day_ns() + shift[0] * 10**9


class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=shift[0])

    @classmethod
    def utcnow(cls):
        return super().utcnow() + datetime.timedelta(seconds=shift[0])


datetime.datetime = Shifted


def set_clock(*_):
    shift[0] += 3600
    print(f"clock +{shift[0]}: set", flush=True)


signal.signal(signal.SIGUSR2, set_clock)

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "serve", None)):
    sys.exit("expected the answer to define the function serve(listener)")
listener = socket.create_server(("127.0.0.1", 0))
print("listening %s:%s" % listener.getsockname(), flush=True)
answer.serve(listener)
sys.exit("serve returned, though it should go on for ever")
