# ruff: noqa: E501
"""Programs that behave badly, by accident or on purpose; each with the ends that are truthful for it.

`python tests/course/hostile.py` runs them all and prints the table of docs/sandbox.md.
They refuse to run as root: the sandbox must have taken that away before it starts them.
"""

import sys
import textwrap

SAFETY = "import os, sys, time, signal, socket, threading, subprocess\nif os.getuid() == 0: os._exit(99)\n"

PROGRAMS = {}


def simple(name, source, *ends, output=None):
    PROGRAMS[name] = (SAFETY + textwrap.dedent(source), ends, output)


simple("infinite loop", "while True: pass", "time")
simple(
    "fork bomb, Python",
    "while True:\n    try: os.fork()\n    except OSError: pass",
    "tasks",
    "memory",
    "time",
)
simple(
    "fork bomb, shell",
    "os.execv('/bin/sh', ['sh', '-c', 'b() { b | b & }; b; sleep 9'])",
    "tasks",
    "time",
    "exited",
)
simple("churning forks", "while True:\n    if os.fork() == 0: os._exit(0)", "tasks", "time", "exited")
simple(
    "double-forked daemon",
    "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(60)\n    os._exit(0)\nos.wait()",
    "exited",
)
simple(
    "swarm of daemons",
    """
    for _ in range(15):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(60)
            os._exit(0)
        os.wait()
    """,
    "exited",
)
simple(
    "hops pids, environment cleaned",
    """
    os.environ.clear()
    while True:
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.0005)
    """,
    "exited",
)
simple(
    "nohup",
    "subprocess.Popen(['nohup', 'sleep', '60'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)",
    "exited",
)
simple("setsid", "subprocess.Popen(['setsid', 'sleep', '60'])", "exited")
ALL = "for n in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:\n    "
simple("ignores every signal", ALL + "signal.signal(n, signal.SIG_IGN)\nwhile True: time.sleep(1)", "time")
simple(
    "blocks every signal",
    "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nwhile True: time.sleep(1)",
    "time",
)
simple(
    "answers every signal",
    ALL + "signal.signal(n, lambda *_: print('no'))\nwhile True: time.sleep(1)",
    "time",
)
simple(
    "respawns on SIGTERM",
    """
    def again(*_):
        for _ in range(3):
            if os.fork() == 0: os.setsid()
    signal.signal(signal.SIGTERM, again)
    while True: time.sleep(0.05)
    """,
    "time",
)
KILL = """
def kill(pid):
    for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
        try: os.kill(pid, number)
        except OSError: pass
def parent(pid):
    with open(f'/proc/{pid}/stat') as f: return int(f.read().rpartition(')')[2].split()[1])
"""
simple("kills its parent", KILL + "kill(os.getppid())\nprint('alive')", "exited", output="alive")
simple(
    "kills all ancestors",
    KILL
    + "pid = os.getppid()\nwhile pid > 1:\n    up = parent(pid)\n    kill(pid); pid = up\nprint('alive')",
    "exited",
    output="alive",
)
simple("kills its group", "os.killpg(0, signal.SIGKILL)\ntime.sleep(9)", "exited")
simple(
    "kill -1",
    "try: os.kill(-1, signal.SIGKILL)\nexcept OSError: pass\nprint('alive')",
    "exited",
    output="alive",
)
simple(
    "kills the supervisor found by a scan",
    KILL
    + """
for name in os.listdir('/proc'):
    try:
        if name.isdigit() and int(name) != os.getpid():
            words = open(f'/proc/{name}/cmdline').read()
            if 'nanny.py' in words or 'guard.py' in words or 'pytest' in words or 'hostile' in words: kill(int(name))
    except OSError: pass
print('alive')
""",
    "exited",
    output="alive",
)
simple(
    "kills by pidfd and by thread",
    KILL
    + """
try:
    signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGKILL)
except OSError: print('refused')
""",
    "exited",
    output="refused",
)
simple(
    "memory hog", "kept = []\nwhile True:\n    kept.append(bytearray(16 << 20))", "memory", "exited", "time"
)
simple(
    "memory hog in children",
    "for _ in range(6):\n    if os.fork() == 0:\n        kept = bytearray(b'x') * (90 << 20)\n        time.sleep(60)\ntime.sleep(60)",
    "memory",
)
simple(
    "thread hog",
    "while True:\n    try: threading.Thread(target=time.sleep, args=(60,)).start()\n    except RuntimeError: pass",
    "tasks",
    "time",
)
simple(
    "descriptor hog",
    "kept = []\ntry:\n    while True: kept.append(open('/dev/null'))\nexcept OSError: print(len(kept) < 300)",
    "exited",
    output="True",
)
simple("disk hog, one file", "f = open('big', 'wb')\nwhile True: f.write(bytes(1 << 20))", "exited", "disk")
simple(
    "disk hog, many files",
    "n = 0\nwhile True:\n    n += 1\n    open(f'{n}', 'wb').write(bytes(4 << 20))",
    "disk",
)
simple(
    "zombie hog",
    "while True:\n    try:\n        if os.fork() == 0: os._exit(0)\n    except OSError: time.sleep(0.01)",
    "tasks",
    "time",
)
simple("floods stdout", "while True: print('x' * 10000)", "output")
simple("floods stderr", "while True: print('x' * 10000, file=sys.stderr)", "output")
simple("floods binary, no newline", "while True: os.write(1, bytes(range(256)) * 64)", "output")
simple("os._exit(0)", "os._exit(0)", "exited")
simple("sys.exit(0)", "sys.exit(0)", "exited")
simple("segfault", "import ctypes; ctypes.string_at(0)", "exited")
simple("abort", "os.abort()", "exited")
simple(
    "stack overflow",
    "sys.setrecursionlimit(10**9)\nclass A:\n    def __repr__(self): return repr(self)\nrepr(A())",
    "exited",
)
simple("blocks in accept", "socket.create_server(('127.0.0.1', 0)).accept()", "time")
simple("reads stdin", "print(repr(sys.stdin.read()))\ninput()", "exited", output="''")
simple("child holds stdout open", "if os.fork() == 0: time.sleep(60)", "exited")
simple(
    "leaves a listener behind",
    """
    s = socket.create_server(('127.0.0.1', 0), reuse_port=True)
    if os.fork() == 0:
        os.setsid()
        while True: s.accept()
    print(s.getsockname()[1])
    """,
    "exited",
)
simple("stops itself", "os.kill(os.getpid(), signal.SIGSTOP)", "time")
simple(
    "raises its own limits",
    """
    import resource
    for kind in (resource.RLIMIT_NPROC, resource.RLIMIT_AS, resource.RLIMIT_NOFILE):
        try: resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)); print('raised')
        except (OSError, ValueError): pass
    while True:
        try: os.fork()
        except OSError: pass
    """,
    "tasks",
    "memory",
    "time",
)
simple(
    "claims to be a subreaper",
    """
    import ctypes
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0: time.sleep(60)
            os._exit(0)
    time.sleep(0.2)
    """,
    "exited",
)
simple(
    "clears its death signal",
    "import ctypes\nctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\n"
    + ALL
    + "signal.signal(n, signal.SIG_IGN)\nwhile True: time.sleep(1)",
    "time",
)
simple("executes itself for ever", "os.execv(sys.executable, [sys.executable, '-I', sys.argv[0]])", "time")
simple(
    "locks its folder",
    "os.makedirs('a/b/c'); open('a/b/c/d', 'w').close(); os.chmod('a/b', 0); os.chmod('a', 0); os.chmod('.', 0)",
    "exited",
)
simple(
    "hides from /proc and forks",
    """
    import ctypes
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
    for _ in range(10):
        if os.fork() == 0:
            os.setsid(); os.chdir('/')
            while True: time.sleep(1)
    """,
    "exited",
)


def run(name, seconds=1.2):
    """Run one of them in the sandbox; return (Sandbox, Report)."""
    from evolution.course.sandbox import Limits, Sandbox

    source = PROGRAMS[name][0]
    limits = Limits(seconds=seconds, cpu=4, tasks=48, mib=256, disk_mib=32, output_mib=2)
    with Sandbox({"answer.py": source}, ["answer.py"], limits) as learner:
        learner.wait(seconds + 8)
    return learner, learner.report


def contained(name, learner):
    """True when the program ended as it should, said what it should, and left nothing."""
    _, ends, output = PROGRAMS[name]
    report = learner.report
    said = output is None or output in learner.output
    return (
        report.why in ends
        and report.status != 99
        and said
        and not report.left
        and not learner.scratch.exists()
    )


def main(off):
    from evolution.course import sandbox

    sandbox.DEFENCES.update(dict.fromkeys(off, False))
    print("| program | ended by | processes, most | contained, ms | left | |\n|---|---|---|---|---|---|")
    reports = []
    for name in PROGRAMS:
        learner, report = run(name)
        fine = "" if contained(name, learner) else "NOT CONTAINED"
        reports.append(report)
        end = f"{report.why}, status {report.status}"
        print(
            f"| {name} | {end} | {report.tasks} | {report.ms:.0f} | {len(report.left)} | {fine} |", flush=True
        )
    most, slowest = max(report.tasks for report in reports), max(report.ms for report in reports)
    print(
        f"\n{len(PROGRAMS)} programs, defences {learner.defences}; at most {most} processes; slowest {slowest:.0f} ms"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
