"""The load generator: compiled when it is needed, run once for each trial, its figures read."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tests.bench.load.seed import Seed
from tests.bench.load.servers import HERE, Running, Server
from tests.bench.screen import BenchError

PATIENCE: Final = 120.0
"""Seconds for everyone to be in; and again for what comes after publishing."""
_PATIENCE_WITH_A_CROWD: Final = 12.0
"""The same for a crowd: what takes longer is no answer to it."""


class TrialError(BenchError):
    """One trial failed; the others can go on."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is put on a server: who is there, who publishes, how much.

    `window` messages are under way at most, of all publishers together: sent, and not yet at all
    members and acknowledged; where it is less than publishers, these take turns. With a `rate`
    (messages/s) they are sent at fixed times instead.
    A `crowd` comes at once when measuring begins, and measuring lasts at least until it is in.
    So many members are `stopped` then: they read nothing any more, and stay.
    `text`: bytes of each message. `deaf`: publishers don't get what others say.
    `quick_ack`: receivers acknowledge what TCP brings at once, so that a server without TCP_NODELAY
    is not kept waiting for it.
    Of ours only: members are `known`, they have accounts; there are `history` messages in the room
    already; and each member, one after the other, gets those of them that it is `behind` with.
    """

    members: int
    publishers: int = 0
    rooms: int = 1
    window: int = 0
    rate: float = 0.0
    crowd: int = 0
    stopped: int = 0
    text: int = 100
    deaf: bool = False
    quick_ack: bool = False
    known: bool = False
    history: int = 0
    behind: int = 0

    @property
    def seed(self) -> Seed | None:
        """What has to be in a server of ours at its start; joining makes no rooms."""
        if self.known or self.rooms > 1:
            return Seed(self.members, self.rooms, self.history)
        return None


@dataclass(frozen=True, slots=True)
class Times:
    """How many were timed, and how long they took, in ms."""

    count: int
    p50: float
    p99: float
    p999: float
    max: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What came out of one trial.

    Counts are those of `measured_s` seconds; `sent`, `lost`, `disordered` and `missing` are those
    of all the time.

    `in_s`: from the first connection to the last member's being in. `idle_bytes`: of the server's
    memory, for each member, once all was quiet. `demanded`: deliveries of what was sent, to all
    that read. `grown_bytes`: the most that the server's memory was above that when measuring began.
    `missing` never came; `lost` were overtaken by later ones; `disordered` came twice or too late.
    `crowd_s`: as `in_s`, of the crowd. `started_s`: from the server's start until it was ready.
    `text` bytes had each message; so many were `missed` by who caught up. `disk_ms`: the longest
    that a witness on the server's disk waited for fdatasync while all this went on, where one did.
    """

    in_s: float
    in_cpu_s: float
    idle_bytes: float
    server_bytes: int
    measured_s: float = 0.0
    demanded: int = 0
    deliveries: int = 0
    messages: int = 0
    acks: int = 0
    server_cpu_s: float = 0.0
    own_cpu_s: float = 0.0
    grown_bytes: int = 0
    delivery: Times | None = None
    ack: Times | None = None
    catch_up: Times | None = None
    sent: int = 0
    lost: int = 0
    disordered: int = 0
    missing: int = 0
    crowd_s: float = 0.0
    started_s: float = 0.0
    text: int = 0
    missed: int = 0
    disk_ms: float | None = None

    @property
    def delivery_rate(self) -> float:
        """Deliveries/s."""
        return self.deliveries / self.measured_s

    @property
    def message_rate(self) -> float:
        """Messages/s that reached everyone, and were acknowledged where there is such a thing."""
        return self.messages / self.measured_s

    @property
    def ack_rate(self) -> float:
        """Messages/s that were acknowledged."""
        return self.acks / self.measured_s

    @property
    def kept_up(self) -> float:
        """Percent of what was demanded that was delivered."""
        return self.deliveries / max(self.demanded, 1) * 100

    @property
    def cost(self) -> float:
        """Microseconds of the server's processor time for each delivery."""
        return self.server_cpu_s / max(self.deliveries, 1) * 1e6

    @property
    def server_load(self) -> float:
        """Percent of one processor that the server took."""
        return self.server_cpu_s / self.measured_s * 100

    @property
    def own_load(self) -> float:
        """Percent of one processor that the generator took: at 100 it was the limit."""
        return self.own_cpu_s / self.measured_s * 100

    @property
    def faults(self) -> int:
        """Deliveries that are not as they should be."""
        return self.lost + self.disordered + self.missing


class Generator:
    """The compiled program."""

    def __init__(self, folder: Path) -> None:
        """Compile it into a folder. Raises BenchError that says what is missing."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise BenchError("no C compiler is installed (apt-get install gcc libc6-dev)")
        self._path = folder / "load"
        sources = sorted(map(str, HERE.glob("*.c")))
        command = [compiler, "-std=gnu11", "-O2", "-o", str(self._path), *sources]
        done = subprocess.run(
            [*command, "-lssl", "-lcrypto"], capture_output=True, text=True, check=False
        )
        if "openssl/ssl.h" in done.stderr or "-lssl" in done.stderr:
            raise BenchError("OpenSSL can't be compiled with (apt-get install libssl-dev)")
        if done.returncode:
            raise BenchError(f"the load generator can't be compiled:\n{done.stderr[-2000:]}")

    def run(
        self, server: Server, running: Running, load: Load, warmup: float, seconds: float
    ) -> Figures:
        """One trial. Raises TrialError when it went wrong."""
        patience = _PATIENCE_WITH_A_CROWD if load.crowd else PATIENCE
        command = [
            *(str(self._path), "--dialect", server.dialect, "--port", str(running.port)),
            *("--server", str(running.pid), "--secret", running.secret),
            *("--members", str(load.members), "--publishers", str(load.publishers)),
            *("--rooms", str(load.rooms), "--window", str(load.window)),
            *("--rate", str(load.rate), "--at-once", str(server.at_once)),
            *("--crowd", str(load.crowd), "--stopped", str(load.stopped)),
            *("--text", str(load.text)),
            *("--history", str(load.history), "--behind", str(load.behind)),
            *("--warmup", str(warmup), "--seconds", str(seconds), "--patience", str(patience)),
            *["--tls"] * server.tls,
            *["--known"] * (load.seed is not None and server.ours),
            *["--deaf"] * load.deaf,
            *["--quick-ack"] * load.quick_ack,
        ]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=2 * PATIENCE + warmup + seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TrialError(f"{server.title}: the trial does not come to an end") from None
        if done.returncode:
            raise TrialError(f"{server.title}: {done.stderr.strip()[-500:]}")
        figures = _figures(json.loads(done.stdout))
        return replace(figures, started_s=running.started_s, text=load.text, missed=load.behind)


def _figures(read: Mapping[str, Any]) -> Figures:
    names = {"delivery_ms": "delivery", "ack_ms": "ack", "catch_up_ms": "catch_up"}
    values: dict[str, Any] = {
        names.get(name, name): Times(**value) if name in names else value
        for name, value in read.items()
    }
    return Figures(**values)
