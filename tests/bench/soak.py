"""The server for a long time: ``python3 dev.py bench soak --seconds 1800``.

Members of one room make 2,000 deliveries/s; each second one of them goes and another comes back
and gets what it missed; now and then somebody new comes and reads the whole log. Every delivery
is checked: no hole, no repetition, the same for all, each sender's in its order, and nothing that
nobody said. Meanwhile the server, a process of its own with TLS and its store, is looked at.

Before that the store is filled, so that the cache of its pages, which is bounded, is full: what
grows then is no cache.

Linux only: it reads /proc. Exit status: 0 when every promise was kept; 1 when one was broken, or
nothing worked; 2 when something to measure with is missing; 130 after Ctrl+C.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.bench.command import fail, say
from tests.bench.endure.course import Record
from tests.bench.endure.findings import Findings, verdicts
from tests.bench.endure.hosted import Hosted, a_server
from tests.bench.endure.town import Town
from tests.bench.screen import BenchError

RATE: Final = 2_000.0
ONLINE: Final = 50
HISTORY: Final = 120_000
"""Messages in the store before: some 25 MB, more than the server's cache of pages."""
ACCOUNTS: Final = 1_000
"""Accounts that are made at the end, to see what one costs."""
STORE: Final = ("chat.db", "chat.db-wal", "chat.db-shm")
MEMORY: Final = 5.0
"""MiB that memory may grow by."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak and print; the exit status."""
    options = _options(arguments)
    if sys.platform != "linux":
        return fail("this measures on Linux only", 2)
    with tempfile.TemporaryDirectory(prefix="chat-soak-", dir=options.dir) as temporary:
        try:
            with a_server(Path(temporary) / "server") as hosted:
                found = _soak(hosted, options)
        except (BenchError, OSError) as error:
            return fail(str(error), 1)
        except KeyboardInterrupt:
            return 130
    sys.stdout.write(
        "\n\n".join([found.markdown(), "#### Promises", verdicts(found.targets)]) + "\n"
    )
    return 0 if all(target.met for target in found.targets) else 1


def _soak(hosted: Hosted, options: argparse.Namespace) -> Findings:
    town = Town(hosted, ONLINE)
    record = Record()
    try:
        say(f"filling the store with {options.history:,} messages")
        town.settle(options.history)
        town.live(RATE)
        town.crew.run(time.monotonic() + options.warmup)
        town.ledger.forget_times()
        gc.freeze()
        began, own = time.monotonic(), time.process_time()
        record.samples.append(town.sample())
        while time.monotonic() < began + options.seconds:
            town.crew.run(min(time.monotonic() + options.every, began + options.seconds))
            record.samples.append(town.sample())
            _tell(record)
        load = (time.process_time() - own) / record.seconds
        say("everyone comes back for what is missing")
        town.finish()
        each = town.cost_of_an_account(ACCOUNTS)
    finally:
        town.crew.close()
        if options.json is not None and record.samples:
            samples = [asdict(sample) for sample in record.samples]
            options.json.write_text(json.dumps(samples, indent=1) + "\n", "utf-8")
    return _findings(town, record, load, each)


def _findings(town: Town, record: Record, load: float, each: float) -> Findings:
    ledger, samples = town.ledger, record.samples
    live = sum(sample.live for sample in samples[1:])
    cpu = samples[-1].vitals.cpu - samples[0].vitals.cpu
    found = Findings(
        f"{record.seconds:,.0f} seconds of soaking",
        f"{live / record.seconds:,.0f} live deliveries/s to {ONLINE} members; the server took "
        f"{cpu / record.seconds * 100:.1f} % of a processor, the members {load * 100:.1f} %. Start "
        f"and end are medians of the first and the last tenth of {len(samples)} samples.",
    )
    found.tables += [record.vitals_table(), record.sizes_table()]
    found.notes += [
        f"{ledger.deliveries:,} deliveries were checked; {ledger.head:,} events are in the log.",
        f"Members came back {town.comings:,} times, and {town.newcomers} were new.",
        f"{ACCOUNTS:,} more accounts, away again, took {each / 1024:.1f} KiB each of new memory.",
        *ledger.faults,
    ]
    found.at_most("memory grows by", "MiB", MEMORY, record.memory.growth)
    found.at_most("threads, more than at first", "threads", 0, record.threads.growth)
    found.at_most("open files, more than at first", "files", 0, record.files.growth)
    grown = record.grown(STORE)
    found.notes += [f"This file grew: {each}" for each in grown]
    found.at_most("files that grow besides the store", "files", 0, len(grown))
    found.at_most("holes, repetitions, disorder, losses", "faults", 0, ledger.fault_count)
    found.at_most("members thrown out", "members", 0, town.crew.lost)
    return found


def _tell(record: Record) -> None:
    """How it goes, each so often."""
    sample = record.samples[-1]
    say(
        f"{record.seconds:.0f} s: {sample.vitals.memory / 2**20:.2f} MiB, "
        f"{sample.vitals.threads} threads, {sample.vitals.files} files, "
        f"p99 {sample.p99 * 1e3:.1f} ms"
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench soak", description="The server for a long time.")
    add = parser.add_argument
    add("--seconds", type=float, default=1800, help="how long, after the warm-up (%(default)s)")
    add("--warmup", type=float, default=60, help="seconds before that (%(default)s)")
    add("--every", type=float, default=10, help="seconds between samples (%(default)s)")
    add("--history", type=int, default=HISTORY, help="messages in the store before (%(default)s)")
    add("--dir", type=Path, help="folder on the disk to be used (the temporary one)")
    add("--json", type=Path, metavar="FILE", help="write every sample there, too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
