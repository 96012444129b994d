"""What a learner's process gives up before it starts: identity, resources, sight, and reach.

Used by the nanny between fork and exec. Standard library only, Linux through ctypes; elsewhere only the
resource limits work. What the machine does not offer is left out and told (`defences`), never pretended.

Sources: setrlimit(2), prctl(2), capabilities(7), landlock(7), seccomp(2), linux/seccomp.h.
"""

import ctypes
import os
import platform
import resource
import struct
import sys

LINUX = sys.platform == "linux"

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
CAP_DAC_READ_SEARCH = 2

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446  # the same on all machines
FS_EXECUTE, FS_WRITE_FILE, FS_READ_FILE, FS_READ_DIR = 1, 2, 4, 8
FS_TRUNCATE, FS_IOCTL_DEV = 1 << 14, 1 << 15
FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
SCOPE_ABSTRACT_SOCKETS, SCOPE_SIGNALS = 1, 2

# Numbers of the calls that reach other processes: (x86_64, aarch64).
CALLS = {
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "prlimit64": (302, 261),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "open_by_handle_at": (304, 265),
}
BY_PID = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "prlimit64")
NEVER = ("tkill", "pidfd_send_signal", "ptrace", "process_vm_readv", "process_vm_writev", "open_by_handle_at")
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option, *values):
    """Raises OSError when Linux refuses (prctl(2))."""
    arguments = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if _libc.prctl(option, *arguments) < 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} refused")


def limits(wanted):
    """Apply resource limits, soft and hard alike: {"AS": bytes, "CPU": s, "NOFILE": n, …} (setrlimit(2))."""
    for name, value in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        ceiling = value + 1 if name == "CPU" else value  # SIGXCPU first, SIGKILL a second later
        if hard != resource.RLIM_INFINITY:
            ceiling = min(ceiling, hard)
        resource.setrlimit(kind, (value, ceiling))


def first_to_go():
    """Let the kernel end this process before all others when memory runs out (proc_pid_oom_score_adj(5))."""
    try:
        prctl(PR_SET_DUMPABLE, 1)  # inherited from the nanny as 0, which closes /proc/self to us
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        return  # not offered here


def become(uid, keep_reading):
    """Turn from root into `uid`, a user who owns nothing.

    `keep_reading` leaves CAP_DAC_READ_SEARCH, for a Python installed where only root may look; it is safe
    only together with Landlock, which does not care about capabilities.
    """
    if keep_reading:
        prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if keep_reading:
        bit = 1 << CAP_DAC_READ_SEARCH
        header = struct.pack("=II", 0x20080522, 0)  # version 3, this thread
        data = struct.pack("=IIIIII", bit, bit, bit, 0, 0, 0)
        if _libc.capset(header, data):
            raise OSError(ctypes.get_errno(), "capset refused")
        prctl(PR_CAP_AMBIENT, 2, CAP_DAC_READ_SEARCH)


def landlock_version():
    """Return the kernel's Landlock ABI, 0 where there is none (landlock(7))."""
    if not LINUX:
        return 0
    return max(0, _libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1)))


def landlock_rules(readable, writable):
    """Return a descriptor of rules: `readable` paths can be read and executed, `writable` ones used freely.

    Everything else on the disk is refused, and from ABI 6 on signals to any process outside. None without
    Landlock. Paths that do not exist are passed over.
    """
    version = landlock_version()
    if not version:
        return None
    rights = FS_RIGHTS.get(version, FS_RIGHTS[5])
    scopes = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS if version >= 6 else 0
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("=QQQ", rights, 0, scopes)[:size]
    ruleset = _libc.syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    if ruleset < 0:
        return None
    for path in readable:
        _allow(ruleset, path, (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR) & rights)
    for path in writable:
        _allow(ruleset, path, rights)
    return ruleset


def _allow(ruleset, path, rights):
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):  # noqa: PTH112 — no pathlib here: every import delays the start
        rights &= FS_EXECUTE | FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV
    rule = struct.pack("=Qi", rights, descriptor)
    _libc.syscall(LANDLOCK_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint(0))
    os.close(descriptor)


def landlock_enforce(ruleset):
    """Raises OSError when the kernel refuses."""
    if _libc.syscall(LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0)) < 0:
        raise OSError(ctypes.get_errno(), "landlock_restrict_self refused")


def ancestors(pid):
    """Return the pids of `pid`, its parent and so on up to 1, with their threads and process groups."""
    found = set()
    while pid > 0 and pid not in found:
        found.add(pid)
        try:
            found.add(os.getpgid(pid))
            found |= set(map(int, os.listdir(f"/proc/{pid}/task")))
            with open(f"/proc/{pid}/stat", errors="replace") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            break
    return found - {0}


def seccomp_program(protected):
    """Return BPF that refuses, with EPERM, to touch the pids in `protected`, their groups, or all at once.

    None on a machine whose call numbers are not known here.
    """
    column, architecture = ARCHITECTURES.get(platform.machine(), (None, None))
    if column is None:
        return None
    targets = sorted(
        {pid & 0xFFFFFFFF for pid in protected} | {-pid & 0xFFFFFFFF for pid in protected} | {0xFFFFFFFF}
    )
    load, equal, at_least, jump, end = 0x20, 0x15, 0x35, 0x05, 0x06
    refuse, allow = (end, 0, 0, 0x00050000 | 1), (end, 0, 0, 0x7FFF0000)
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), refuse, (load, 0, 0, 0)]
    if column == 0:
        program += [(at_least, 0, 1, 0x40000000), refuse]  # the x32 variants of the same calls
    for name in NEVER:
        program += [(equal, 0, 1, CALLS[name][column]), refuse]
    tests = [(load, 0, 0, 16)]  # the low half of the first argument
    for target in targets:
        tests += [(equal, 0, 1, target), refuse]
    tests.append(allow)
    for name in BY_PID:
        program += [(equal, 1, 0, CALLS[name][column]), (jump, 0, 0, len(tests)), *tests]
    program.append(allow)
    return b"".join(struct.pack("=HBBI", *step) for step in program)


def seccomp_enforce(program):
    """Raises OSError when the kernel refuses (seccomp(2))."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(header, len(header))
    if _libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(2), pointer, ctypes.c_ulong(0), ctypes.c_ulong(0)):
        raise OSError(ctypes.get_errno(), "seccomp refused")
