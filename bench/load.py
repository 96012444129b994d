"""Load: wrk, pinned to the core that the server does not use."""

import os
import re
import resource
import shutil
import subprocess
import time
from functools import partial
from typing import NamedTuple

from bench import machine

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class Load(NamedTuple):
    """What one run of wrk saw. Latencies in seconds; `share` is its own part of its core, 1.0 = saturated."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: int
    share: float


def require():
    """Raise RuntimeError where wrk is missing."""
    if not shutil.which("wrk"):
        raise RuntimeError("expected wrk; try apt-get install wrk")


def wrk(port, seconds, connections=64, close=False, pipeline=1, core=None):
    """Run wrk once against 127.0.0.1:port and return a Load. Raises RuntimeError without a report from it."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    if close:
        command += ["-H", "Connection: close"]
    script = None
    if pipeline > 1:
        script = os.memfd_create("pipeline.lua")
        text = (
            f"init = function() local one = wrk.format(); batch = string.rep(one, {pipeline}) end\n"
            "request = function() return batch end\n"
        )
        os.write(script, text.encode())
        command += ["-s", f"/proc/self/fd/{script}"]
    core = machine.LOAD_CORE if core is None else core
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/"],
        capture_output=True,
        text=True,
        timeout=seconds + 20,
        pass_fds=() if script is None else (script,),
        preexec_fn=partial(os.sched_setaffinity, 0, {core}),
    )
    took = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if script is not None:
        os.close(script)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _read(done.stdout, used / took)


def _read(text, share):
    total = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", text)
    if not total:
        raise RuntimeError(f"expected a report from wrk, not {text[-300:]!r}")
    errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", text)))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Load(
        requests=int(total[1]),
        seconds=float(total[2]) * UNITS[total[3]],
        p50=_latency(text, "50%"),
        p99=_latency(text, "99%"),
        errors=errors + (int(bad[1]) if bad else 0),
        share=share,
    )


def _latency(text, which):
    found = re.search(rf"{which}\s+([\d.]+)(us|ms|s|m)", text)
    return float(found[1]) * UNITS[found[2]] if found else float("nan")
