"""What one run of a learner's program may use, and how it ended."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """What one run may use; the first one it reaches ends it."""

    seconds: float = 20.0
    cpu: int = 8
    """Seconds of processor time for each process."""
    tasks: int = 64
    """Processes and threads together."""
    mib: int = 512
    """Memory of all processes together; no single one may map more than twice that."""
    files: int = 256
    """Open descriptors for each process."""
    disk_mib: int = 64
    output_mib: int = 4

    def resource_limits(self):
        return {
            "AS": 2 * self.mib * 2**20,
            "CPU": self.cpu,
            "NOFILE": self.files,
            "FSIZE": self.disk_mib * 2**20 // 4,
            "CORE": 0,
        }


@dataclass
class Report:
    """How a run ended. `why`: exited stop time tasks memory output disk, or lost when nobody could tell."""

    why: str = "lost"
    status: int | None = None
    """Exit status; negative: the signal that ended it."""
    tasks: int = 0
    """The most processes and threads seen at once."""
    mib: float = 0.0
    output: int = 0
    """Bytes printed, also those that were not kept."""
    company: int = 0
    """Other processes of the learner's that were alive at the end."""
    left: list = field(default_factory=list)
    """Pids that could not be removed: always empty, or something is very wrong."""
    ms: float = 0.0
    """Milliseconds from the decision to end it until nothing was left."""
