"""The program around Worker: a handler, and files that tell which reactor was born and which one naps."""

import os
import sys
import time

sys.path.insert(0, ".")

import answer  # noqa: E402 — the learner's file

protocol, count, idle, kind = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]


def note(name):
    with open(name, "a") as file:
        file.write(f"{os.getpid()} {os.getppid()}\n")


def on_message(message):
    word = message.strip(b"/\r")
    if word == b"who":
        return b"%d" % os.getpid()
    if word == b"die":
        os._exit(3)
    if word.startswith(b"nap"):
        note("naps")
        time.sleep(0.4)
        return b"rested"
    return b"echo " + word


def on_start():
    note("births")
    if kind == "cursed":
        try:
            os.close(os.open("curse", os.O_CREAT | os.O_EXCL))  # the first one lives
        except FileExistsError:
            os._exit(9)


worker = answer.Worker(0, count=count, protocol=protocol, idle=idle)
worker.on_message, worker.on_start = on_message, on_start
worker.run()
