"""The command line: python -m evolution serve | diff | check | progress | grade | report | race | doctor."""

import argparse
import importlib
import os
import signal
import sys

from evolution import GENERATIONS, __version__


class Refusal(Exception):
    """What the user asked for cannot be done; the message is the one line they read."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv=None):
    """Run one command; return its exit status."""
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if rest and args.run not in FORWARDED:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return args.run(args, rest) if args.run in FORWARDED else args.run(args) or 0
    except (Refusal, ValueError) as error:
        print(f"evolution: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def model(name):
    """Import a model by its name in GENERATIONS. Raises Refusal for an unknown or unsupported one."""
    if name not in GENERATIONS:
        raise Refusal(f"expected a model, one of {', '.join(GENERATIONS)}, not {name!r}")
    try:
        return importlib.import_module(f"evolution.{name}")
    except AttributeError as error:  # select.epoll where there is none
        raise Refusal(f"{name} needs Linux: {error}") from error


def serve(args):
    """Serve the course's HTTP application until SIGTERM or SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):  # until the model catches them itself
        signal.signal(number, lambda *_: os._exit(0))
    from evolution.core.app import App

    options = {"share": args.share} if args.share else {}
    if options and args.model != "multireactor":
        raise Refusal(f"--share is an option of multireactor, not of {args.model}")
    worker = model(args.model).Worker(args.address, args.workers, **options)
    App(idle_timeout=args.idle_timeout, request_timeout=args.request_timeout).attach(worker)
    worker.on_start = lambda address: print(f"listening {address.host}:{address.port}", flush=True)
    worker.serve_forever()
    for number in (signal.SIGTERM, signal.SIGINT):  # the ending interpreter restores the default
        signal.signal(number, signal.SIG_IGN)


def diff(args):
    """Print the step from one model, or file, to another: what changed and the lines that did."""
    import difflib
    import textwrap

    from evolution.lab.difference import difference

    step = difference(args.old, args.new)
    if step["words"]:
        print(textwrap.fill(step["words"], 100) + "\n")
    sides = step["old"], step["new"]
    lines = [side["text"].splitlines() for side in sides]
    for line in difflib.unified_diff(*lines, *(f"{side['name']}.py" for side in sides), lineterm="", n=3):
        print(line)


def check(args):
    """Check one answer in the sandbox; exit status 0 only when it passed."""
    from evolution.course import exercise

    return exercise.main(
        [args.exercise, *([args.file] if args.file else []), *(["--json"] if args.json else [])]
    )


def progress(args, rest):
    """Say how far the answers have come; carry them to another machine."""
    from evolution.course import progress

    return progress.main(rest)


def grade(args, rest):
    """Check many answer folders, in parallel; print a summary."""
    from evolution.course import grade

    return grade.main(rest)


def report(args, rest):
    """Save an answer and what its checker saw in one file; nothing is sent."""
    from evolution.course import report

    return report.main(rest)


def race(args, rest):
    """Measure the models side by side on this machine, and nginx, asyncio, PHP where installed."""
    from evolution.lab import races

    return races.main(rest)


def doctor(args):
    """Say what this machine can do, one line each, with the remedy."""
    from evolution.lab import doctor

    return doctor.main()


FORWARDED = (progress, grade, report, race)
"""Commands that read their own arguments."""


def _parser():
    parser = Parser(prog="evolution", description="How network servers evolved: nine models of one server.")
    parser.add_argument("--version", action="version", version=f"evolution {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

    def command(run, name=None):
        sub = commands.add_parser(
            name or run.__name__, help=run.__doc__.split("\n")[0], description=run.__doc__
        )
        sub.set_defaults(run=run)
        return sub

    sub = command(serve)
    option = sub.add_argument
    option("model", metavar="MODEL", help=", ".join(GENERATIONS))
    option("address", metavar="ADDRESS", nargs="?", default="tcp://127.0.0.1:9080", help="tcp://host:port")
    option("--workers", type=int, metavar="N", help="processes or threads, as the model means it")
    option("--share", choices=["port", "listener"], help="multireactor: a listener each, or one for all")
    option("--idle-timeout", type=float, default=60.0, metavar="S", help="seconds between requests")
    option("--request-timeout", type=float, default=10.0, metavar="S", help="seconds for one request")

    sub = command(diff)
    sub.add_argument("old", metavar="A")
    sub.add_argument("new", metavar="B")

    sub = command(check)
    sub.add_argument("exercise", metavar="EXERCISE")
    sub.add_argument("file", metavar="FILE", nargs="?", help="default: answers/EXERCISE.py")
    sub.add_argument("--json", action="store_true", help="print one JSON object")

    for run in FORWARDED:
        sub = commands.add_parser(run.__name__, help=run.__doc__, add_help=False)
        sub.set_defaults(run=run)
    command(doctor)
    return parser


if __name__ == "__main__":
    sys.exit(main())
