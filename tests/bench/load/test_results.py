"""What was measured is shown as it is: failures as failures, and all of it."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from chat_server.net.pages import Pages
from chat_server.store.sqlite.reader import SqliteReader
from chat_server.store.sqlite.store import SqliteStore
from tests.bench.load.chart import chart
from tests.bench.load.commit import CommitProbe
from tests.bench.load.generator import Figures, Times
from tests.bench.load.measures import Measure, measures
from tests.bench.load.report import Report
from tests.bench.load.seed import Seed, Seeds, username
from tests.bench.load.servers import Server
from tests.bench.load.trials import Bench

OURS = Server("Chat, TLS", "chat", tls=True)
PEER = Server("InspIRCd, plaintext", "irc", tls=False, program="inspircd")
FIGURES = Figures(
    in_s=1, in_cpu_s=1, idle_bytes=1024, server_bytes=1024, measured_s=2, demanded=4000,
    deliveries=4000, messages=40, acks=40, server_cpu_s=1, own_cpu_s=1,
    delivery=Times(4000, 1, 2, 3, 4), ack=Times(40, 1, 2, 3, 4),
    catch_up=Times(9, 1, 2, 3, 4), text=100, missed=100,
)  # fmt: skip


def bench(chosen: list[Measure], folder: Path) -> Bench:
    """Nothing was measured yet."""
    probe = CommitProbe(folder)
    probe.commits.append(0.3)
    nowhere: Any = None
    return Bench(
        [OURS, PEER], chosen, nowhere, probe, Seeds(folder), folder, folder, 1, 2, lambda _: None
    )


def of(key: str) -> Measure:
    """The measure of this key."""
    return next(each for each in measures(quick=False) if each.key == key)


def test_the_quick_ones_have_the_same_names() -> None:
    """What one tries out quickly is called as what one measures then."""
    assert [each.key for each in measures(quick=True)] == [m.key for m in measures(quick=False)]
    assert len({each.key for each in measures(quick=False)}) == len(measures(quick=False))


@pytest.mark.parametrize(
    ("name", "key", "called"),
    [
        ("saturation", "saturation-100", True),
        ("saturation-100", "saturation-100", True),
        ("saturation-100", "saturation-1000", False),
        ("growth-history", "growth-history-page-1000", True),
        ("sat", "saturation-100", False),
    ],
)
def test_a_measure_is_called_by_its_first_words(name: str, key: str, called: bool) -> None:
    """Whole words, not any beginning."""
    assert of(key).is_called(name) == called


def test_a_failure_is_shown_and_judged(tmp_path: Path) -> None:
    """In the table, among the targets and in the list: not as nothing."""
    measured = bench([of("crowd"), of("acks")], tmp_path)
    measured.results = {
        ("crowd", OURS.title): [None, None],
        ("crowd", PEER.title): [FIGURES, None],
        ("acks", OURS.title): [replace(FIGURES, acks=100_000), None, None],
    }
    measured.failures = ["the crowd broke off"]
    said = Report(measured, judged=True).markdown("")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines()]
    crowd = next(row for row in rows if row and row[0] == "Chat, TLS (2 of 2 failed)")
    assert set(crowd[1:]) == {"failed"}
    assert any(row and row[0] == "InspIRCd, plaintext (1 of 2 failed)" for row in rows)
    verdicts = {row[0]: row[2:] for row in rows if len(row) == 4}
    assert verdicts["1,000 come at once: all in"] == ["failed", "missed"]
    # Two of three failed: what one of them reached is not the median.
    assert verdicts["100 senders: durable acknowledged"] == ["0.00", "missed"]
    assert "the crowd broke off" in said


def test_a_curve_is_one_table(tmp_path: Path) -> None:
    """A row for each point, with the columns of all that was measured there."""
    chosen = [each for each in measures(quick=False) if each.is_called("growth-history")]
    measured = bench(chosen, tmp_path)
    measured.results = {(each.key, OURS.title): [FIGURES] for each in chosen}
    said = Report(measured, judged=False).markdown("")
    rows = [line for line in said.splitlines() if line.startswith("| 1,000,000 ")]
    assert len(rows) == 1
    assert "–" not in rows[0]


def test_a_chart_has_every_server(tmp_path: Path) -> None:
    """It is XML, and what failed is called so."""
    chosen = [each for each in measures(quick=False) if each.is_called("saturation")]
    chosen += [each for each in measures(quick=False) if each.is_called("growth")]
    measured = bench(chosen, tmp_path)
    measured.results = {
        (each.key, server.title): [FIGURES, replace(FIGURES, deliveries=9000)]
        for each in chosen
        for server in (OURS, PEER)
        if each.is_for(server)
    }
    measured.results["saturation-1000", PEER.title] = [None]
    drawn = ET.fromstring(chart(Report(measured, judged=False).json()))  # noqa: S314 - our own
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count(OURS.title) == 2
    assert texts.count(PEER.title) == 2
    assert texts.count("failed") == 1
    assert "CPU of the server for each delivery, µs" in texts


def test_a_seed_is_what_was_asked_for(tmp_path: Path) -> None:
    """Accounts with tokens, rooms with members, and texts that tell their places."""
    Seeds(tmp_path).put(Seed(accounts=6, rooms=3, history=250), tmp_path / "data")
    path = tmp_path / "data" / "chat.db"
    with closing(SqliteStore(path)) as log, closing(Pages(SqliteReader(path))) as reader:
        directory = log.load()
        page, last = reader.page("general", 248)[:2]
    assert directory.rooms["general"].head == 250
    assert directory.rooms["r001"].members == {username(2), username(3)}
    assert set(directory.rooms_of[username(5)]) == {"general", "r002"}
    token = bytes.fromhex(f"{4:064x}")
    assert directory.devices[hashlib.sha256(token).digest()].username == username(3)
    assert last == 250
    assert page.count(b'"text":"h000000249xxx') == 1
