"""The trials that run the window in a process of the benchmark's: their data and their results."""

from __future__ import annotations

import json
import shutil
import sys
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.programs import ROOT, Build, Order
from tests.bench.stage import Stage
from tests.bench.window_client.crowd import Speaker, lines
from tests.bench.window_client.history import lengthen

AT_ONCE: Final = 5_000
MISSED: Final = 10_000
AWAY: Final = 100_000
_ENDED_WITHIN: Final = 300.0
"""Seconds for a whole scenario; the long history's takes about 30."""

Results = dict[str, list[dict[str, list[float]]]]


@dataclass
class Within:
    """Runs scenarios on fresh copies of the prepared chat. `results` has them by their names."""

    build: Build
    stage: Stage
    history: int
    results: Results = field(default_factory=lambda: defaultdict(list))
    _head: int = 0

    def burst(self) -> None:
        """Thousands of messages arrive while the window shows the room."""
        with self.stage.copy("server", "ada") as [server, ada]:
            self._run("burst", server, ada, AT_ONCE)

    def behind(self) -> None:
        """The window opens, and thousands were said since it was closed."""
        if not self._head:
            self._say_much()
        with self.stage.copy("spoken", "ada") as [server, ada]:
            self._run("behind", server, ada, self._head)

    def far(self) -> None:
        """The server has a long history, of which a new member has nothing and Ada the first."""
        trials = (("nobody", "new", self.history), ("ada", "far", self.history))
        for who, scenario, head in (*trials, ("ada", "away", AWAY)):
            (self.stage.folder / "prepared" / "nobody").mkdir(exist_ok=True)
            with self.stage.copy("server", who) as [server, data]:
                lengthen(server / "chat.db", None, head)
                self._run(scenario, server, data, head)

    def long(self) -> None:
        """The server and the client have a long history."""
        with self.stage.copy("server", "ada") as [server, ada]:
            (cache,) = ada.glob("accounts/*/cache.db")
            lengthen(server / "chat.db", cache, self.history)
            self._run("long", server, ada, self.history)

    def _say_much(self) -> None:
        """Prepare the server that Ada is far behind of."""
        prepared = self.stage.folder / "prepared"
        spoken = prepared / "spoken"
        shutil.copytree(prepared / "server", spoken, ignore=shutil.ignore_patterns("ctl"))
        with (
            self.stage.server(self.build, spoken) as invite,
            closing(Speaker(invite, "Guest")) as speaker,
        ):
            self._head = speaker.say(lines(MISSED))

    def _run(self, scenario: str, server: Path, data: Path, count: int) -> None:
        result = data.parent / "result.json"
        with self.stage.server(self.build, server) as invite:
            command = (
                *(sys.executable, "-m", "tests.bench.window_client.driver", scenario),
                *(data, result, "--invite", invite, "--count", str(count)),
            )
            with self.stage.start(Order(f"the window ({scenario})", command, ROOT)) as [program]:
                program.wait(_ENDED_WITHIN)
        self.results[scenario].append(json.loads(result.read_bytes()))
