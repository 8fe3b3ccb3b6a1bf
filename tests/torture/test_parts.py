"""The parts of the torture that a wrong verdict could come from: the network, the points, time."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.torture.crew import ROOT, wait_until
from tests.torture.epochs import Epoch
from tests.torture.faults import Over
from tests.torture.history import Client, History, Store
from tests.torture.proxy import HOST, Proxy, Way
from tests.torture.record import (
    Acked,
    Applied,
    Began,
    Record,
    Records,
    Welcomed,
    condense,
)
from tests.torture.report import summarise
from tests.torture.test_checker import event

SHORT = 0.2
"""Seconds in which nothing is to arrive."""


@contextmanager
def an_echo() -> Iterator[int]:
    """A server that says everything back; its port."""
    listening = socket.create_server((HOST, 0))

    def answer(end: socket.socket) -> None:
        with end:
            while data := end.recv(4096):
                end.sendall(data)

    def serve() -> None:
        while True:
            try:
                end, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(end,)).start()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy in front of an echo."""
    with an_echo() as port:
        proxy = Proxy(port)
        try:
            yield proxy
        finally:
            proxy.close()


@pytest.fixture
def line(proxy: Proxy) -> Iterator[socket.socket]:
    """A connection through it, over which something has gone there and back already."""
    with socket.create_connection((HOST, proxy.port), timeout=5.0) as line:
        line.sendall(b"hello")
        assert line.recv(5) == b"hello"
        yield line


def exactly(line: socket.socket, size: int) -> bytes:
    """The next so many bytes."""
    data = b""
    while len(data) < size and (piece := line.recv(size - len(data))):
        data += piece
    return data


def silent(line: socket.socket) -> bool:
    """Whether nothing comes for a while."""
    line.settimeout(SHORT)
    try:
        line.recv(1)
    except TimeoutError:
        return True
    finally:
        line.settimeout(5.0)
    return False


def test_what_is_held_comes_later_and_whole(proxy: Proxy, line: socket.socket) -> None:
    """Held is not lost."""
    proxy.hold(Way.TO_SERVER)
    assert not proxy.holding(Way.TO_SERVER)
    line.sendall(b"later")
    assert silent(line)
    assert proxy.holding(Way.TO_SERVER)
    proxy.release(Way.TO_SERVER)
    assert exactly(line, 5) == b"later"


def test_what_is_thrown_away_ends_the_connection_when_it_heals(
    proxy: Proxy, line: socket.socket
) -> None:
    """A stream with a hole in it must never look like a good one."""
    proxy.mute(Way.TO_CLIENT)
    line.sendall(b"gone")
    assert silent(line)
    proxy.heal()
    assert line.recv(1) == b""


def test_a_trickle_has_every_byte(proxy: Proxy, line: socket.socket) -> None:
    """One at a time, in order."""
    proxy.trickle(0.001)
    line.sendall(b"drop by drop")
    assert exactly(line, 12) == b"drop by drop"


def test_a_cut_is_seen(proxy: Proxy, line: socket.socket) -> None:
    """At the client's end, at once."""
    proxy.cut()
    assert line.recv(1) == b""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 there")
def test_a_dead_point_is_reached_once_and_a_record_survives_it(tmp_path: Path) -> None:
    """Killed at the third time, with every record before it in the file."""
    path = tmp_path / "record"
    program = (
        "import sys; from pathlib import Path\n"
        "from tests.torture.hooks import Points\n"
        "from tests.torture.record import Kept, Recorder\n"
        "points, recorder = Points(), Recorder(Path(sys.argv[1]))\n"
        "points.arm('here', 3)\n"
        "for number in range(9):\n"
        "    recorder.add(Kept(number, 'c')); points.reach('here')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, path], cwd=ROOT, check=False)
    assert ended.returncode == -9
    assert [record.at for record in Records(path)] == [0, 1, 2]


def test_recovery_is_counted_from_the_restart() -> None:
    """To the first acknowledgement, and until the last one had what the first had before."""
    first, second = event(1, "ben", "b1"), event(2, "ben", "b2")
    quick: list[Record] = [
        Began(0, 1, {}, None),
        Welcomed(0, "5b"),
        Applied(1_000_000, first),
        Applied(2_000_000, second),
        Acked(16_000_000, "general", 3, "b3"),
    ]
    slow: list[Record] = [
        Began(0, 1, {}, "5b"),
        Began(12_000_000, 2, {}, "5b"),
        Applied(13_000_000, first),
        Applied(40_000_000, second),
    ]
    clients = [Client("ada", "ada", quick, Store()), Client("ben", "ben", slow, Store())]
    history = History([Epoch("5b", (first, second), {})], clients)
    over = [Over("link cut", 9_000_000), Over("kill server", 10_000_000, server=True)]
    report = summarise(history, [], over, seed=0, seconds=1)
    killed = report.recoveries["kill server"]
    assert (killed.times, killed.first_ack, killed.caught_up) == (1, 6.0, 30.0)
    assert report.recoveries["link cut"].caught_up == 0  # The server went away before.
    assert report.kills == 1


def test_recovery_from_a_restored_backup_is_counted_in_the_new_history() -> None:
    """Until everyone has what the backup had, whatever they had before."""
    first, second = event(1, "ben", "b1"), event(2, "ben", "b2")
    records: list[Record] = [
        Began(0, 1, {}, "5b"),
        Applied(1_000_000, first),
        Applied(2_000_000, second),
        Acked(2_000_000, "general", 2, "b2"),
        Began(12_000_000, 2, {}, "6c"),
        Applied(25_000_000, first),
    ]
    former = Epoch("5b", (first, second), {})
    epochs = [former, Epoch("6c", (), {}, former, {"general": 1})]
    history = History(epochs, [Client("ben", "ben", records, Store())])
    over = [Over("backup restored", 10_000_000, server=True)]
    report = summarise(history, [], over, seed=0, seconds=1)
    assert report.recoveries["backup restored"].caught_up == 15.0
    assert (report.acknowledged, report.set_back) == (1, 1)


def test_a_condensed_text_is_told_from_all_others() -> None:
    """Short ones are themselves; long ones differ where they differ, and stay short."""
    assert condense("short") == "short"
    long = [condense("x" * 5000 + end) for end in "ab"]
    assert long[0] != long[1]
    assert max(map(len, long)) < 200


def test_waiting_ends_at_its_deadline() -> None:
    """And says that it was in vain."""
    assert not wait_until(lambda: False, SHORT)
