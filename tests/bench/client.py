"""How quick the client's window is, and how long deaf: ``python3 dev.py bench client``.

The real window on a screen of its own, with a real server, TLS and both stores. From source, and
what can be measured from outside also in the frozen folder, when that was built.

- Keys are pressed as on a keyboard (XTest). The X server tells of every drawing, and only then are
  the pixels looked at; what counts is when the drawing was told that brought what was awaited.
- How long the window does not answer is measured within: a timer that is due every millisecond
  notes when it comes, under Tk's own loop, in a process that runs the real program. Who speaks
  and the server are processes of their own, and share the processors with it. So beside a longest
  block stands the most that the window's thread computed itself between two turns.
- A frame is what one thing that happens costs until the X server has drawn all of it.
- Every trial has fresh copies of the same data. In a round of typing, 48 letters and 12 messages
  are timed, a moment apart, as somebody writes them. Figures are medians, with the least and
  greatest; a longest block is the longest of a whole trial.

Linux only: it needs Xvfb. Exit status: 0 when all was measured, whether targets were met or
missed; 1 when a program failed; 2 when something to measure with is missing; 130 after Ctrl+C.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.command import fail, say
from tests.bench.programs import ROOT, Build, builds_in, clean_environment, from_source
from tests.bench.screen import BenchError, a_screen
from tests.bench.stage import Stage, make_stage
from tests.bench.window_client.latency import Talking
from tests.bench.window_client.report import Report
from tests.bench.window_client.trials import Within
from tests.bench.xwire import XError


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status."""
    options = _options(arguments)
    if sys.platform != "linux" or shutil.which("Xvfb") is None:
        return fail(BenchError("this needs Linux and Xvfb, the screen on which it measures"), 2)
    with tempfile.TemporaryDirectory(prefix="chat-bench-", dir=options.dir) as temporary:
        folder = Path(temporary)
        environment = clean_environment(folder / "home")
        try:
            with a_screen(environment, folder / "screen.txt") as screen:
                stage = make_stage(screen, environment, folder / "stage")
                report = _measure(stage, options)
                managed = screen.managed
        except (BenchError, XError, OSError) as error:
            return fail(error, 1)
        except KeyboardInterrupt:
            return 130
    sys.stdout.write(report.markdown(_about(options.rounds, managed=managed)))
    if options.json is not None:
        options.json.write_text(json.dumps(report.json(), indent=1) + "\n", "utf-8")
    return 0


def _measure(stage: Stage, options: argparse.Namespace) -> Report:
    """Everything, in turns."""
    source = from_source()
    say("preparing a chat")
    stage.prepare(source)
    talking = [Talking(build, stage) for build in _builds(source, options.dist)]
    within = Within(source, stage, options.history)
    report = Report(talking, within.results, options.history)
    if "talk" in options.only:
        for number in range(options.rounds):
            for each in talking:
                say(f"round {number + 1} of {options.rounds}: {each.build.title}, typing")
                each.run()
    for what, run in (("burst", within.burst), ("behind", within.behind)):
        if what in options.only:
            for number in range(options.rounds):
                say(f"round {number + 1} of {options.rounds}: {what}")
                run()
    if "far" in options.only:
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}: most of the history is on the server")
            within.far()
    if "long" in options.only:
        say(f"a history of {options.history:,} messages")
        within.long()
    return report


def _builds(source: Build, dist: Path) -> list[Build]:
    """Those to type in: from source, and the frozen folder if there is one."""
    try:
        return [source, builds_in(dist.resolve())[0]]
    except BenchError as error:
        say(f"from source only: {error}")
        return [source]


def _about(rounds: int, *, managed: bool) -> str:
    manager = "under openbox" if managed else "without a window manager"
    return (
        f"Median (least–greatest) of {rounds} rounds, of one for the long history, {manager}; "
        f"{os.cpu_count()} processors, load at the end {os.getloadavg()[0]:.1f}."
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench client", description="How quick the client's window is, and how long deaf."
    )
    add = parser.add_argument
    everything = ("talk", "burst", "behind", "far", "long")
    add("--rounds", type=int, default=5, choices=range(1, 100), metavar="N",
        help="rounds that count (%(default)s)")  # fmt: skip
    add("--history", type=int, default=1_000_000, metavar="N",
        help="messages of the long history (%(default)s)")  # fmt: skip
    add("--only", nargs="+", choices=everything, default=everything, help="leave out the others")
    add("--dist", type=Path, default=ROOT / "dist", help="folder of what was built (%(default)s)")
    add("--dir", type=Path, help="where the data goes meanwhile (the system's temporary folder)")
    add("--json", type=Path, metavar="FILE", help="write every single figure there, too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
