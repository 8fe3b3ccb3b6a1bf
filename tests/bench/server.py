"""How much the server carries, and how quickly: ``python3 dev.py bench server``.

ChatServer (with TLS and, beside it, in plaintext; always with its store) takes turns with ngIRCd,
InspIRCd and Mosquitto, each in plaintext and with TLS and without flood limits, and with a naive
server: a thread for each client that hands on with `sendall`, the floor. What is measured is told
by `load.measures`, how the servers are set up by `load.servers` and the files beside it.

- One program in C puts the load on all of them, in their own protocols. It checks every delivery:
  whose it is, that it is whole, and that each member gets each publisher's messages in their
  order, none missing, none twice; what was not so is shown as faults. Its share of a processor
  stands beside each figure: a figure means the server's limit only where that is well below 100.
- A message is under way until all members have it and, here, until it is acknowledged. Publishers
  are members too: they get what the others say. A delivery is one message at one member.
- Every trial has a fresh server with an empty log. A warm-up is not counted. Processor time is
  that of all the server's threads. At a fixed rate, times count from when a message was due.
- Rounds are interleaved; what takes long is measured of the others in the first round only, and
  how things grow too. Every figure is a median, with the least and greatest; ratios are those
  between two figures of the same round.
- At saturation and in rooms, receivers acknowledge what TCP brings at once: servers without
  TCP_NODELAY are shown at their best there, and as clients meet them everywhere else.
- There is no command yet to make rooms here: they, their members and the history of long talks are
  in the server's store before it starts, and the members sign in instead of joining.
- What grows is shown of ours alone: with receivers, with history, with the length of texts.
- Memory is what the process has in use (RSS); what the system keeps for its sockets is not in it.
- Server and generator run on the same computer, over the loopback. Only the store makes a figure
  depend on the disk: what a commit costs stands above the tables.

Linux only: it reads /proc. Exit status: 0 when it was measured, whether targets were met or
missed; 1 when nothing worked; 2 when something to measure with is missing; 130 after Ctrl+C,
which shows what there is so far.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from chat_server.identity import load_identity
from tests.bench.command import at_least, fail, say
from tests.bench.load.chart import chart
from tests.bench.load.commit import CommitProbe
from tests.bench.load.generator import Generator
from tests.bench.load.measures import Measure, measures
from tests.bench.load.report import Report
from tests.bench.load.seed import Seeds
from tests.bench.load.servers import installed, servers
from tests.bench.load.trials import Bench
from tests.bench.screen import BenchError

_FILES = 16_384
"""Open files that the largest trial needs, with room to spare."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="chat-bench-", dir=options.dir) as temporary:
        folder = Path(temporary)
        try:
            bench = _bench(options, folder)
        except BenchError as error:
            return fail(error, 2)
        status = 0
        try:
            bench.run(options.rounds)
        except (BenchError, OSError) as error:
            return fail(error, 1)
        except KeyboardInterrupt:
            status = 130
    if bench.results:
        _show(bench, options)
    return status


def _show(bench: Bench, options: argparse.Namespace) -> None:
    """Print what was measured, and write it wherever it is wanted."""
    report = Report(bench, judged=not options.quick)
    sys.stdout.write(report.markdown(_about(options, bench)))
    if options.json is not None:
        options.json.write_text(json.dumps(report.json(), indent=1) + "\n", "utf-8")
    if options.chart is not None:
        options.chart.write_text(chart(report.json()), "utf-8")


def _bench(options: argparse.Namespace, folder: Path) -> Bench:
    """Everything that is needed to measure. Raises BenchError when something is missing."""
    if sys.platform != "linux":
        raise BenchError("this measures on Linux only")
    _allow_files()
    generator = Generator(folder)
    names = options.server or [""]
    wanted = [
        each for each in servers() if any(name.lower() in each.title.lower() for name in names)
    ]
    return Bench(
        installed(wanted, say),
        _chosen(measures(quick=options.quick), options.only),
        generator,
        CommitProbe(folder),
        Seeds(folder),
        load_identity(folder).path,
        folder,
        0.3 if options.quick else options.warmup,
        1.0 if options.quick else options.seconds,
        say,
    )


def _chosen(there: Sequence[Measure], names: Sequence[str] | None) -> list[Measure]:
    """Those of these names, all for none. Raises BenchError for a name that is nothing's."""
    for name in names or ():
        if not any(each.is_called(name) for each in there):
            raise BenchError(f"there is no measure {name}; see --help")
    return [each for each in there if not names or any(map(each.is_called, names))]


def _allow_files() -> None:
    """A socket is an open file: ask for enough of them, for the servers too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < 4096:
        say(f"only {most} open files are allowed (ulimit -n); trials with many members may fail")


def _about(options: argparse.Namespace, bench: Bench) -> str:
    """How it was measured, in a line below the title."""
    quick = "A quick look, no measurement: " if options.quick else ""
    commit, sync = median(bench.probe.commits), median(bench.probe.syncs)
    return (
        f"{quick}rounds: {options.rounds}, of {bench.seconds:g} s each after {bench.warmup:g} s; "
        f"texts of 100 bytes; {os.cpu_count()} processors, load at the end "
        f"{os.getloadavg()[0]:.1f}. A commit of one row takes {commit:.2f} ms here, an fdatasync "
        f"of one page {sync:.2f} ms."
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    keys = ", ".join(dict.fromkeys(_short(each) for each in measures(quick=False)))
    parser = argparse.ArgumentParser(
        prog="bench server", description="How much the server carries, beside others."
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="some minutes that show that everything works")
    add("--rounds", type=at_least(int, 1), help="rounds that count (3; 1 when quick)")
    add(
        "--seconds", type=at_least(float, 0.5), default=3.0, metavar="SECONDS",
        help="how long each trial measures (%(default)s)",
    )  # fmt: skip
    add(
        "--warmup", type=at_least(float, 0), default=0.5, metavar="SECONDS",
        help="how long each trial runs before that (%(default)s)",
    )  # fmt: skip
    add(
        "--only", action="extend", nargs="+", metavar="MEASURE",
        help=f"only these, of: {keys}; the first word of several is enough",
    )  # fmt: skip
    add(
        "--server", action="extend", nargs="+", metavar="NAME",
        help="only servers with this in their title",
    )  # fmt: skip
    add("--dir", type=Path, help="folder on the disk to be measured (the temporary one)")
    add("--json", type=Path, metavar="FILE", help="write every single figure there, too")
    add("--chart", type=Path, metavar="FILE", help="draw it there, as an SVG")
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = 1 if options.quick else 3
    return options


def _short(measure: Measure) -> str:
    """Its key, without how far it has grown."""
    return measure.key.rpartition("-")[0] if measure.curve else measure.key


if __name__ == "__main__":
    sys.exit(main())
