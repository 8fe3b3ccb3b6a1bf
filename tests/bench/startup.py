"""How long the programs take until one can use them: ``python3 dev.py bench startup``.

Each program in each of its forms (frozen folder, frozen single file, from source) is started
alone and compared with a bare Tk window that is frozen in the same manner; then a server and two
clients are started at once, and somebody says something. What is measured how is told by
`trials`, and what a window's being there means by `screen`.

- A first round warms up (disk cache, font cache) and is not counted; in it the signs by which
  windows are watched are learned, and idling is measured.
- Then all take turns, round by round, so that a noisy moment hits everyone. Ratios are those
  between two figures of the same round. Every figure is a median, with the least and greatest.
- Every start finds the same prepared data. Clients that are started alone find a running server.
- Everything happens in a temporary folder and on a screen of its own, with a clean environment.
- The memory of a program from source comes out too low: this benchmark is a Python, too, and
  shares pages with it. The frozen programs share only what all programs do, such as the C library.

Linux only: it reads /proc, and needs Xvfb. Exit status: 0 when all was measured, whether targets
were met or missed; 1 when a program failed; 2 when something to measure with or to be measured is
missing; 130 after Ctrl+C.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.bench.command import at_least, fail, say
from tests.bench.pictures import Sign
from tests.bench.programs import ROOT, Build, bare_frozen, builds_in, clean_environment, size
from tests.bench.report import Report
from tests.bench.screen import BenchError, a_screen
from tests.bench.stage import Stage, make_stage
from tests.bench.trials import Alone, Together
from tests.bench.xwire import XError


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status."""
    options = _options(arguments)
    dist: Path = options.dist.resolve()
    try:
        _need_tools()
        builds = builds_in(dist)
    except BenchError as error:
        return fail(error, 2)
    with tempfile.TemporaryDirectory(prefix="chat-bench-") as temporary:
        folder = Path(temporary)
        environment = clean_environment(folder / "home")
        try:
            say("freezing a bare Tk window")
            bare = bare_frozen(folder, environment)
            with a_screen(environment, folder / "screen.txt") as screen:
                managed = screen.managed
                stage = make_stage(screen, environment, folder / "stage")
                alone, together = _measure(stage, builds, bare, options.rounds, options.idle)
        except (BenchError, XError, OSError) as error:
            return fail(error, 1)
        except KeyboardInterrupt:
            return 130
        report = Report(alone, together, _sizes(dist, bare))
    sys.stdout.write(report.markdown(_about(options.rounds, options.idle, managed=managed)))
    if options.json is not None:
        options.json.write_text(json.dumps(report.json(), indent=1) + "\n", "utf-8")
    return 0


def _need_tools() -> None:
    """Raises BenchError when something to measure with is missing."""
    if sys.platform != "linux":
        raise BenchError("this measures on Linux only")
    if shutil.which("Xvfb") is None:
        raise BenchError("Xvfb is not installed; it is the screen on which this is measured")
    if find_spec("PyInstaller") is None:
        raise BenchError("PyInstaller is not installed; it freezes the window to compare with")


def _measure(
    stage: Stage, builds: Sequence[Build], bare: Path, rounds: int, idle: float
) -> tuple[list[Alone], list[Together]]:
    """Everything, in turns."""
    folder_build = builds[0]
    say("preparing a chat")
    stage.prepare(folder_build)
    alone = _alone(stage, builds, bare)
    with stage.server_behind(folder_build):
        for number in range(rounds + 1):
            for each in alone:
                say(f"round {number} of {rounds}: {each.title}")
                if number:
                    each.run()
                else:
                    each.learn(idle)
    together = [Together(build, stage, _sign(alone, build)) for build in builds]
    for number in range(rounds + 1):
        for both in together:
            say(f"round {number} of {rounds}: {both.title}")
            if number:
                both.run()
            else:
                both.learn()
    return alone, together


def _alone(stage: Stage, builds: Sequence[Build], bare: Path) -> list[Alone]:
    """Who takes turns; the bare frozen window comes first, as all are compared with it."""
    script = ROOT / "build_specs" / "start" / "bare.py"
    programs = [
        Alone("bare Tk, folder", "bare", (bare / "bare",), bare, stage),
        Alone("bare Tk, source", "bare", (sys.executable, script), ROOT, stage),
    ]
    for build in builds:
        server, client = f"ChatServer, {build.title}", f"ChatClient, {build.title}"
        programs.append(Alone(server, "server", build.server, build.folder, stage))
        programs.append(Alone(client, "client", build.client, build.folder, stage))
    return programs


def _sign(alone: Sequence[Alone], build: Build) -> Sign:
    """What a typed letter looks like in the clients of a build."""
    (sign,) = (each.sign for each in alone if each.title == f"ChatClient, {build.title}")
    assert sign is not None, "learned in the warm-up"
    return sign


def _sizes(dist: Path, bare: Path) -> dict[str, int]:
    """Bytes on the disk of what users get, and of what it is compared with."""
    packed = sorted(dist.glob("Chat-*.tar.xz"))
    return {
        "bare Tk, folder unpacked": size(bare),
        "both programs, folder unpacked": size(dist / "Chat"),
        **{f"both programs, {path.name}": size(path) for path in packed},
        "ChatServer, single file": size(dist / "ChatServer"),
        "ChatClient, single file": size(dist / "ChatClient"),
    }


def _about(rounds: int, idle: float, *, managed: bool) -> str:
    """How it was measured, in a line below the title."""
    manager = "under openbox" if managed else "without a window manager"
    watched = f"idle over {idle:g} s" if idle else "idling not measured"
    load = os.getloadavg()[0]
    return (
        f"Median (least–greatest) of {rounds} rounds, {manager}; {watched}; "
        f"{os.cpu_count()} processors, load at the end {load:.1f}."
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench startup", description="How long the programs take until one can use them."
    )
    add = parser.add_argument
    add("--dist", type=Path, default=ROOT / "dist", help="folder of what was built (%(default)s)")
    add("--rounds", type=at_least(int, 1), default=7, help="rounds that count (%(default)s)")
    add(
        "--idle", type=at_least(float, 0), default=20.0, metavar="SECONDS",
        help="how long to watch each program idle, 0 for not at all (%(default)s)",
    )  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write every single figure there, too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
