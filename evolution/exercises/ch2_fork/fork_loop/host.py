"""The loop of the question, in one of its four forms: `host.py exit|no inside|after`.

It tells the checker what each process does, and when (seconds, CLOCK_MONOTONIC).
"""

import os
import sys
import time

EXITS, INSIDE = sys.argv[1] == "exit", sys.argv[2] == "inside"
NAP = 0.15


def tell(event):
    os.write(1, f"{os.getpid()} {os.getppid()} {event} {time.monotonic():.6f}\n".encode())


def wait():
    tell("wait")
    try:
        os.wait()
        return True
    except ChildProcessError:
        return False
    finally:
        tell("waited")


tell("born")
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        tell("born")
        tell("nap")
        time.sleep(NAP)
        tell("awake")
        if EXITS:
            tell("end")
            os._exit(0)
    elif INSIDE:
        wait()
if not INSIDE:
    while wait():
        pass
tell("end")
