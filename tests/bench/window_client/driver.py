"""A window that is measured from within, as a process of its own; the benchmark starts it.

    python -m tests.bench.window_client.driver SCENARIO DATA_DIR RESULT [--invite LINK] [--count N]

The result is JSON. Somebody else in the chat is another process again, so that nothing in this
one but the program takes the interpreter.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from chat_client.options import Options, name_of
from common.domain.invite import parse_invite
from tests.bench.window_client.probe import Probe
from tests.bench.window_client.scenarios import SCENARIOS, Given


def main() -> int:
    """Run one scenario; the exit status is 0, or a traceback's 1."""
    parser = argparse.ArgumentParser(prog="driver")
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--invite", default="")
    parser.add_argument("--count", type=int, default=0)
    options = parser.parse_args()
    given = Given(options.invite, options.count)
    result: dict[str, list[float]] = {}
    known = Options(theme="light")
    if options.scenario == "new":
        known = Options(theme="light", join=parse_invite(given.invite), name=name_of("New Member"))
    probe = Probe(options.data_dir, known)
    probe.run(partial(SCENARIOS[options.scenario], given=given, result=result))
    options.result.write_text(json.dumps(result), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
