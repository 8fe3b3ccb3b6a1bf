"""`python -m tests.torture --seconds N --seed S`: exit status 0 if every promise was kept."""

import argparse
import os
import random
import signal
import sys

from tests.torture.bugs import BUGS, CLIENT_BUGS
from tests.torture.disk import NoNamespaceError, namespace
from tests.torture.runner import run


def main() -> int:
    """Torture, and say what came of it."""
    parser = argparse.ArgumentParser(prog="torture", description="Faults, and a judge.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (%(default)s)")
    parser.add_argument("--seed", type=int, help="of the plan of faults (default: a new one)")
    bugs = [*BUGS, *CLIENT_BUGS]
    parser.add_argument("--bug", choices=bugs, help="torture a wrong program, to see it caught")
    parser.add_argument("--small-disk", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not 0 < options.seconds <= 86400:
        parser.error("--seconds takes more than 0 and at most a day")
    if not options.small_disk:
        _go_where_one_may_mount()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    # As Ctrl+C: whoever was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    report = run(options.seconds, seed, options.bug, small_disk=options.small_disk)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.violations else 0


def _go_where_one_may_mount() -> None:
    """Become the same program in a namespace of its own; return only if that is not allowed."""
    try:
        command = namespace()
    except NoNamespaceError as error:
        sys.stdout.write(f"no small disk can be mounted, so none is filled: {error}\n")
        return
    program = [sys.executable, "-m", "tests.torture", *sys.argv[1:], "--small-disk"]
    os.execv(command[0], [*command, *program])  # noqa: S606 (ourselves)


if __name__ == "__main__":
    sys.exit(main())
