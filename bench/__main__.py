"""python -m bench [--full] [--only NAME]: measure, print the tables, keep them in bench/results/.

Ratios are within one run; seconds and microseconds belong to the machine that is named beside them.
"""

import argparse
import json
import signal
import subprocess
import sys
from pathlib import Path

from bench import course, idle, lag, latency, machine, memory, requests, servers, workers

MEASURES = {
    "requests": requests,
    "idle": idle,
    "memory": memory,
    "latency": latency,
    "workers": workers,
    "course": course,
    "lag": lag,
}
RESULTS = Path(__file__).parent / "results"


def main():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n")[0])
    parser.add_argument("--full", action="store_true", help="more rounds, all peers, a cold start")
    parser.add_argument("--only", choices=MEASURES, help="one measure")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # its servers end with it
    if args.full and not servers.VENV.exists():
        _install_peers()
    RESULTS.mkdir(exist_ok=True)
    facts = machine.facts()
    print(" · ".join(f"{name} {value}" for name, value in facts.items()), flush=True)
    for name in [args.only] if args.only else MEASURES:
        try:
            with machine.Noise() as noise:
                found = MEASURES[name].measure(args.full)
        except (RuntimeError, servers.Missing) as error:
            print(f"\n{name} was not measured: {error}", flush=True)
            continue
        found = {"machine": facts, "noise": noise.facts(), "full": args.full, **found}
        path = RESULTS / f"{name}{'-full' if args.full else ''}.json"
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"\n{MEASURES[name].table(found)}", flush=True)


def _install_peers():
    """The peers live in an environment of their own, from a hashed lock."""
    subprocess.run([sys.executable, "-m", "venv", servers.VENV], check=True)
    python = servers.VENV / "bin" / "python"
    command = [
        python,
        "-m",
        "pip",
        "install",
        "-q",
        "--require-hashes",
        "-r",
        Path(__file__).parent / "requirements.txt",
    ]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
