"""The program around serve: it has many descriptors open already, so that the next numbers are high ones."""

import faulthandler
import os
import signal
import socket
import sys

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "serve", None)):
    sys.exit("expected the answer to define the function serve(listener)")
listener = socket.create_server(("127.0.0.1", 0))
nothing = os.open(os.devnull, os.O_RDONLY)
while os.dup(nothing) < 1019:  # others in this program need these: files, logs, a database
    pass
print("listening %s:%s" % listener.getsockname(), flush=True)
answer.serve(listener)
sys.exit("serve returned, though it should go on for ever")
