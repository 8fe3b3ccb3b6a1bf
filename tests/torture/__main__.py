"""`python -m tests.torture --seconds N --seed S`: exit status 0 if every promise was kept."""

import argparse
import random
import signal
import sys

from tests.torture.bugs import BUGS
from tests.torture.runner import run


def main() -> int:
    """Torture, and say what came of it."""
    parser = argparse.ArgumentParser(prog="torture", description="Faults, and a judge.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (%(default)s)")
    parser.add_argument("--seed", type=int, help="of the plan of faults (default: a new one)")
    parser.add_argument("--bug", choices=BUGS, help="torture a wrong server, to see it caught")
    options = parser.parse_args()
    if not 0 < options.seconds <= 86400:
        parser.error("--seconds takes more than 0 and at most a day")
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    # As Ctrl+C: whoever was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    report = run(options.seconds, seed, options.bug)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
