"""The server under strain: ``python3 dev.py bench strain``.

One frozen client among fifty; an attack by thousands of connections; a client that is 10,000
messages behind. The server is a process of its own, with TLS and its store; all is on the
loopback of one computer. Each trial has a fresh server.

Linux only: it reads /proc. Exit status: 0 when it was measured, whether targets were met or
missed; 1 when a trial failed; 2 when something to measure with is missing; 130 after Ctrl+C.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.bench.command import fail, say
from tests.bench.endure.behind import behind
from tests.bench.endure.findings import Findings, verdicts
from tests.bench.endure.frozen import DeafMember, StoppedClient, frozen
from tests.bench.endure.hostile import hostile
from tests.bench.screen import BenchError

_BEFORE: Final = 20.0
_ASLEEP: Final = 60.0
_ATTACK: Final = 20.0

Trial = Callable[[Path, float, bool], Findings]


def _deaf(place: Path, seconds: float, quick: bool) -> Findings:
    before = 3.0 if quick else _BEFORE
    title = "a client that stops reading"
    return frozen(place, title=title, falls=DeafMember, before=before, asleep=seconds)


def _stopped(place: Path, seconds: float, quick: bool) -> Findings:
    before = 3.0 if quick else _BEFORE
    title = "a client whose process is stopped"
    return frozen(place, title=title, falls=StoppedClient, before=before, asleep=seconds)


def _hostile(place: Path, _seconds: float, quick: bool) -> Findings:
    return hostile(place, share=0.1 if quick else 1.0, seconds=6.0 if quick else _ATTACK)


def _behind(place: Path, _seconds: float, quick: bool) -> Findings:
    return behind(place, rounds=2 if quick else 10)


TRIALS: Final[dict[str, Trial]] = {
    "frozen": _deaf,
    "stopped": _stopped,
    "hostile": _hostile,
    "behind": _behind,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status."""
    options = _options(arguments)
    if sys.platform != "linux":
        return fail("this measures on Linux only", 2)
    found: list[Findings] = []
    key = ""
    with tempfile.TemporaryDirectory(prefix="chat-bench-", dir=options.dir) as temporary:
        try:
            for key in options.only or TRIALS:
                say(key)
                place = Path(temporary) / key
                found.append(TRIALS[key](place, options.seconds, options.quick))
        except (BenchError, OSError) as error:
            return fail(f"{key}: {error}", 1)
        except KeyboardInterrupt:
            return 130
    sys.stdout.write(_markdown(found, quick=options.quick))
    return 0


def _markdown(found: Sequence[Findings], *, quick: bool) -> str:
    look = "A quick look, no measurement: " if quick else ""
    about = (
        f"{look}{os.cpu_count()} processors, load at the end {os.getloadavg()[0]:.1f}; server and "
        "clients on the same computer, over the loopback, always with TLS and the store."
    )
    parts = ["## The server under strain", about, *(each.markdown() for each in found)]
    if not quick:
        parts += ["### Targets", verdicts([target for each in found for target in each.targets])]
    return "\n\n".join(parts) + "\n"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench strain", description="The server under strain.")
    add = parser.add_argument
    add("--quick", action="store_true", help="a short look that shows that everything works")
    add(
        "--seconds", type=float, metavar="SECONDS",
        help=f"how long a client is frozen ({_ASLEEP:g}; 6 when quick)",
    )  # fmt: skip
    add("--only", action="append", choices=list(TRIALS), help="only these trials")
    add("--dir", type=Path, help="folder on the disk to be measured (the temporary one)")
    options = parser.parse_args(arguments)
    if options.seconds is None:
        options.seconds = 6.0 if options.quick else _ASLEEP
    return options


if __name__ == "__main__":
    sys.exit(main())
