"""Acknowledged means on disk: nobody is told of a message before its commit has been synced.

Looked at from outside: what the real server asks of the system, and in which order. Without TLS,
for the record has to show what is written to whom.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from common import limits
from common.protocol.frames import FrameDecoder, encode_frame
from common.protocol.messages import Ack, EventMessage, to_client
from tests.process import system_calls
from tests.process.harness import House, Server
from tests.process.system_calls import Call
from tests.process.wire import Session

WAL = "chat.db-wal"
FRAME_HEADER = 24
"""Bytes before each page in a write-ahead log (SQLite file format, §4.1); the second four are
not 0 in the last frame of a transaction, its commit."""
SYNCS = ("fdatasync", "fsync")
ONE_BY_ONE = 20
BURSTS = (2, 10, 100, 250)


def committed(calls: Sequence[Call], text: str) -> int | None:
    """Where in the record the transaction with a text is wholly in the log, by its first write."""
    found = commits = False
    for call in calls:
        if not call.file.endswith(WAL) or call.name != "pwrite64":
            continue
        assert call.result == len(call.data), call
        if len(call.data) == FRAME_HEADER:
            commits = any(call.data[4:8])
        elif text.encode() in call.data:
            found = True
        if found and commits and len(call.data) > FRAME_HEADER:
            return call.done
    return None


def synced(calls: Sequence[Call], since: int) -> int | None:
    """Where the first sync of the log has returned that began after a place in the record."""
    ends = (
        call.done
        for call in calls
        if call.name in SYNCS and call.file.endswith(WAL) and call.begun > since
        if call.result == 0 and call.done is not None
    )
    return min(ends, default=None)


def told(calls: Sequence[Call]) -> Iterator[tuple[int, Ack | EventMessage]]:
    """What was written to clients of stored messages, and where in the record that began."""
    decoders: dict[str, FrameDecoder] = {}
    unfinished: dict[str, int] = {}
    for call in calls:
        if call.name != "sendto" or not call.file.startswith("TCP") or call.result is None:
            continue
        decoder = decoders.setdefault(call.file, FrameDecoder(limits.FRAME_JSON))
        # A frame in several writes was begun with the first of them.
        begun = unfinished.pop(call.file, call.begun)
        for frame in decoder.frames(call.data[: max(call.result, 0)]):
            message = to_client().validator.validate_json(frame)
            if isinstance(message, Ack | EventMessage):
                yield begun, message
            begun = call.begun
        if decoder.partial:
            unfinished[call.file] = begun


def broken_promises(calls: Sequence[Call], said: Mapping[str, str]) -> list[str]:
    """What was told before it was on the disk, of these messages: texts by their `cid`."""
    tellings = list(told(calls))
    complaints = []
    for cid, text in said.items():
        places = [place for place, message in tellings if message.cid == cid]
        commit = committed(calls, text)
        if not places:
            complaints.append(f"{text}: nobody was told")
        elif commit is None:
            complaints.append(f"{text}: told, and never committed")
        elif (sync := synced(calls, commit)) is None or sync > min(places):
            complaints.append(f"{text}: told at {min(places)}, committed {commit}, synced {sync}")
    return complaints


@pytest.fixture
def traced(house: House) -> Server:
    """A server whose writes and syncs are recorded, without TLS."""
    why = system_calls.why_not()
    if why is not None:
        pytest.skip(why)
    tracer = system_calls.tracer(("pwrite64", "sendto", *SYNCS), house.folder / "record")
    return house.server("--plaintext", under=tracer)


def _calls(server: Server, record: Path) -> list[Call]:
    """All calls of its life, which ends with this."""
    assert server.stop() == 0
    # The tracer writes each call down before it lets the program go on: all of them are there.
    return system_calls.read(record.read_text("ascii").splitlines())


def test_nobody_is_told_before_it_is_on_the_disk(house: House, traced: Server) -> None:
    """One at a time and in bursts, by two people at once: the sync returns, then they are told."""
    said: dict[str, str] = {}
    with Session(traced.join, "ada") as ada, Session(traced.join, "ben") as ben:
        ben.everything()
        ada.everything()
        for number in range(ONE_BY_ONE):
            text = f"alone {number:04}."
            said[ada.say_all(text)[0].cid] = text
        for size in BURSTS:
            for person in (ada, ben):
                for number in range(size):
                    text = f"{person.username} {size:04} {number:04}."
                    said[person.say(text)] = text
            for person in (ada, ben):
                for _ in range(size):
                    person.expect(Ack)
            ada.settle()
            ben.settle()
    calls = _calls(traced, house.folder / "record")
    assert len(said) == ONE_BY_ONE + 2 * sum(BURSTS)
    assert broken_promises(calls, said) == []
    kinds = [type(message) for _, message in told(calls) if message.cid in said]
    assert (
        kinds.count(Ack) == kinds.count(EventMessage) == len(said)
    )  # Its sender, and the other one.


# The judge would see it.

CID = "c" * 16
TEXT = "Is it safe?"


def _quoted(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


def _written(page: bytes, *, commits: bool = True) -> list[str]:
    """A page's way into the log."""
    header = bytes([0, 0, 0, 7, 0, 0, 0, 7 * commits]) + bytes(FRAME_HEADER - 8)
    name = _quoted(b"/data/" + WAL.encode())
    return [
        f'101  pwrite64(6<{name}>, "{_quoted(data)}", {len(data)}, 98912) = {len(data)}'
        for data in (header, page.ljust(4096, b"\0"))
    ]


def _synced(result: str = "= 0", name: str = WAL) -> str:
    return f"101  fdatasync(6<{_quoted(b'/data/' + name.encode())}>) {result}"


def _told(*, part: slice = slice(None), as_event: bool = False) -> str:
    about = {"room": "general", "seq": 5, "sent_at": 1, "cid": CID}
    message: Ack | EventMessage = Ack(re=4, **about)  # type: ignore[arg-type] # of mixed types
    if as_event:
        said = {"kind": "message", "sender": "ada", "body": {"text": TEXT}}
        message = EventMessage.model_validate({**said, **about})
    data = encode_frame(message.model_dump_json().encode())[part]
    where = "18<TCP:[127.0.0.1:12345->127.0.0.1:49398]>"
    return f'102  sendto({where}, "{_quoted(data)}", {len(data)}, 0, NULL, 0) = {len(data)}'


PAGE = _written(TEXT.encode())
UNFINISHED = _synced("<unfinished ...>")
RESUMED = "101  <... fdatasync resumed>) = 0"
START, REST = _told(part=slice(None, 20)), _told(part=slice(20, None))
RECORDS = {
    "synced, then told": ([*PAGE, _synced(), _told()], True),
    "synced while others act, then told": ([*PAGE, UNFINISHED, PAGE[0], RESUMED, _told()], True),
    "synced, then told in two writes": ([*PAGE, _synced(), START, REST], True),
    "synced with others' commit": ([*PAGE, *_written(b"more"), _synced(), _told()], True),
    "never synced": ([*PAGE, _told()], False),
    "told before the sync": ([*PAGE, _told(), _synced()], False),
    "told while the sync is under way": ([*PAGE, UNFINISHED, _told(), RESUMED], False),
    "told in part before the sync": ([*PAGE, START, _synced(), REST], False),
    "others told before the sync": (
        [*PAGE, _told(as_event=True), _synced(), _told()],
        False,
    ),
    "synced before it was written": ([_synced(), *PAGE, _told()], False),
    "sync begun before it was written": ([UNFINISHED, *PAGE, RESUMED, _told()], False),
    "synced before its commit": (
        [*_written(TEXT.encode(), commits=False), _synced(), *_written(b"other"), _told()],
        False,
    ),
    "sync failed": ([*PAGE, _synced("= -1 EIO (Input/output error)"), _told()], False),
    "another file was synced": ([*PAGE, _synced(name="chat.db"), _told()], False),
    "never written": ([*_written(b"other"), _synced(), _told()], False),
    "never told": ([*PAGE, _synced()], False),
}


@pytest.mark.parametrize(("lines", "kept"), RECORDS.values(), ids=RECORDS.keys())
def test_a_server_that_tells_too_early_is_seen(lines: list[str], kept: bool) -> None:
    """On made-up records of right servers and of wrong ones."""
    assert (broken_promises(system_calls.read(lines), {CID: TEXT}) == []) is kept
