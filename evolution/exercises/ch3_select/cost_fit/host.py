"""Measures on this machine what one call of select, poll and epoll_wait costs; prints one JSON object.

The descriptors are eventfds (eventfd(2)): the kernel asks them as it asks sockets, and they are so small that other
programs do not push them out of the processor's cache. A process of its own, since it opens thousands of them.
"""

import json
import os
import resource
import select
import sys
import time

SMALL, LARGE, FEW = 1000, 8000, 500
ROUNDS = 40

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
most = min(LARGE, (hard if hard != resource.RLIM_INFINITY else LARGE * 2) - 64)
if most < 4 * SMALL:
    sys.exit(f"this machine allows a process {hard:,} descriptors; expected {4 * SMALL:,} or more")
numbers = [os.eventfd(0) for _ in range(most)]


def best(call):
    """Return the shortest of some tries in microseconds: what disturbed the others is not the call's."""
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - begin)
    return min(times) / 1000


def poller(kind, watched):
    made = kind()
    for number in watched:
        made.register(number, select.POLLIN)  # EPOLLIN is the same number
    return made


few = numbers[:FEW]
polls = {count: poller(select.poll, numbers[:count]) for count in (FEW, SMALL, most)}
cost = {count: best(lambda each=each: each.poll(0)) for count, each in polls.items()}
select_few = best(lambda: select.select(few, [], [], 0))
for number in few:
    os.eventfd_write(number, 1)
epoll = poller(select.epoll, few)
busy_poll, busy_epoll = best(lambda: polls[FEW].poll(0)), best(lambda: epoll.poll(0, FEW))
assert len(epoll.poll(0, FEW)) == FEW
growth = 1 + (cost[most] / cost[SMALL] - 1) * (LARGE - SMALL) / (most - SMALL)  # on the line, if most is less
facts = {"growth": growth, "select": select_few / cost[FEW], "busy": busy_epoll / busy_poll}
calls = {"poll_few": cost[FEW], "poll_1000": cost[SMALL], "poll_most": cost[most], "select_few": select_few}
print(json.dumps({**facts, **calls, "busy_poll": busy_poll, "busy_epoll": busy_epoll, "most": most}))
