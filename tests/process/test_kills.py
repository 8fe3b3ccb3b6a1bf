"""kill -9: what was acknowledged stays, nothing is there twice, and everyone agrees."""

import json
import random
import secrets
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from common.domain.invite import Invite
from common.protocol.codec import RemoteProtocolError
from common.protocol.events import Event
from common.protocol.ids import new_cid
from common.protocol.messages import Ack
from tests.process.harness import Child, House, Listener, Server
from tests.process.wire import HungUpError, Session, contiguous

LIVES = 5
LINES = 400
BROKEN = (HungUpError, OSError, RemoteProtocolError)


@dataclass
class Recorder:
    """Says things under its own account, and writes down what was acknowledged.

    It comes back after each loss of the connection and says the unanswered ones again, under
    the same `cid`; an answer it got is never asked for again.
    """

    invite: Invite
    username: str
    token: str
    acked: dict[str, tuple[int, str]] = field(default_factory=dict)
    said: int = 0
    wrong: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Talk until told to stop, and then until everything is answered."""
        unanswered: dict[str, str] = {}
        while unanswered or not self.stopping.is_set():
            try:
                with Session(self.invite, self.username, self.token) as session:
                    self._talk(session, unanswered)
            except BROKEN:
                self.stopping.wait(0.02)

    def _talk(self, session: Session, unanswered: dict[str, str]) -> None:
        for cid, text in unanswered.items():
            session.say(text, cid=cid)
        while unanswered or not self.stopping.is_set():
            # A few on their way at a time, so that a kill meets some of them in each state.
            while len(unanswered) < 4 and not self.stopping.is_set():
                cid = new_cid()
                unanswered[cid] = f"{self.username} {self.said}"
                self.said += 1
                session.say(unanswered[cid], cid=cid)
            ack = session.expect(Ack)
            if ack.cid in self.acked:
                self.wrong.append(f"{ack.cid} was answered twice")
            self.acked[ack.cid] = (ack.seq, unanswered.pop(ack.cid))


def test_a_server_killed_again_and_again_loses_and_repeats_nothing(
    house: House, server: Server
) -> None:
    """Two people send lines, two more record every acknowledgement, three listen.

    The server is killed whenever a random number of further lines was heard, and started
    again on its folder and port. In the end the log is the one truth that all agree on.
    """
    chance = random.Random()  # noqa: S311 (moments, not secrets)
    listeners = [house.client(server, name).listen() for name in ("lea", "leo", "lou")]
    for listener in listeners:
        assert listener.event().kind == "join"
    recorders = [_recorder(server, name) for name in ("rex", "ria")]
    threads = [threading.Thread(target=recorder.run) for recorder in recorders]
    for thread in threads:
        thread.start()
    senders: dict[str, Child] = {}
    for name in ("sam", "sue"):
        lines = "".join(f"{name} {number}\n" for number in range(LINES))
        senders[name] = house.client(server, name).run(
            "send", "--lines", "--timeout", "60", stdin=lines
        )
    try:
        position, token = 0, secrets.token_hex(32)
        with Session(server.join, "zoe", token, new=True):
            pass
        for _ in range(LIVES):
            with Session(server.join, "zoe", token) as zoe:
                zoe.follow(after=position)
                for _ in range(chance.randint(10, 100)):
                    zoe.hear_from(senders)
                server.kill()
                position = zoe.events[-1].seq
            assert any(sender.running for sender in senders.values())
            server.start()
        assert [sender.status(within=40) for sender in senders.values()] == [0] * len(senders), [
            sender.transcript() for sender in senders.values()
        ]
    finally:
        for recorder in recorders:
            recorder.stopping.set()
        for thread in threads:
            thread.join()
    with Session(server.join, "zoe", token) as zoe:
        log = zoe.everything()
    assert contiguous(log)
    _check_records(log, recorders)
    for name in senders:
        mine = [event.text for event in log if event.sender == name and event.is_message]
        assert mine == [f"{name} {number}" for number in range(LINES)]
    _check_listeners(log, listeners)
    assert server.stop() == 0
    _check_database(server, log)


def _recorder(server: Server, name: str) -> Recorder:
    with Session(server.join, name) as session:
        return Recorder(server.join, name, session.token)


def _check_records(log: Sequence[Event], recorders: Sequence[Recorder]) -> None:
    """Acknowledged ⊆ log, at the acknowledged place; log ⊆ said; one copy each, in order."""
    for recorder in recorders:
        assert recorder.wrong == []
        mine = {
            event.cid: (event.seq, event.text)
            for event in log
            if event.sender == recorder.username and event.is_message
        }
        assert recorder.acked.items() <= mine.items()
        assert mine.keys() == recorder.acked.keys()
        expected = [f"{recorder.username} {number}" for number in range(recorder.said)]
        assert [text for _, text in mine.values()] == expected


def _check_listeners(log: Sequence[Event], listeners: Sequence[Listener]) -> None:
    """Everyone heard the same, from the first to the last, each once."""
    for listener in listeners:
        listener.printed(len(log))
        assert listener.running
        assert listener.heard == log


def _check_database(server: Server, log: Sequence[Event]) -> None:
    with closing(sqlite3.connect(server.data_dir / "chat.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute(
            "SELECT seq, coalesce(body ->> 'text', '') FROM events ORDER BY seq"
        ).fetchall()
    assert rows == [(event.seq, event.text) for event in log]


def test_a_listener_killed_in_a_slow_talk_repeats_one_line_at_most(
    house: House, server: Server
) -> None:
    """Nothing is lost. A line is printed before it is kept, so the last one may come again.

    Each message is sent when the one before was heard; hence all but the last are kept.
    """
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        printed = 0
        for life in range(4):
            listener = ada.listen()
            texts: list[str] = []
            for number in range(3):
                ben.say_all(f"{life}.{number}")
                while f"{life}.{number}" not in texts:
                    texts.append(listener.message().text)
            listener.kill()
            seqs = [event.seq for event in listener.heard]
            assert seqs == list(range(seqs[0], seqs[-1] + 1))
            assert printed <= seqs[0] <= printed + 1
            printed = seqs[-1]


@pytest.mark.parametrize("moment", [1, 1500])
def test_a_listener_killed_in_a_burst_goes_on_from_what_it_kept(
    house: House, server: Server, moment: int
) -> None:
    """Lines of one read are kept in one transaction: those of the last may all come again.

    What is kept was printed; the next life begins right behind it and leaves nothing out.
    """
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        for start in range(0, 3000, 500):
            ben.say_all(*(f"line {number}" for number in range(start, start + 500)))
        log = ben.everything()
    first = ada.listen()
    first.printed(moment)
    first.kill()
    seen = _whole_lines(first)
    (cache,) = ada.data_dir.glob("accounts/*/cache.db")
    with closing(sqlite3.connect(cache)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (kept,) = database.execute("SELECT max(position) FROM rooms").fetchone() or (0,)
    second = ada.listen()
    second.printed(len(log) + 1 - kept)  # Its own joining is new.
    again = second.heard
    assert contiguous(seen)
    assert kept <= len(seen)
    assert contiguous(again, after=kept)
    heard = {event.seq: event for event in [*seen, *again]}
    assert [heard[event.seq] for event in log] == log


def _whole_lines(listener: Listener) -> list[Event]:
    """What a killed listener printed; its last line may have been cut off."""
    lines = [line for line in listener.out if line.endswith("}")]
    assert len(listener.out) - len(lines) <= 1
    return [Event(**json.loads(line)) for line in lines]


def test_a_killed_sender_says_each_line_once_or_not_at_all(house: House, server: Server) -> None:
    """`send` keeps nothing on disk: what was not acknowledged is not said again by itself."""
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        ben.follow()
        sending = ada.run("send", "--lines", stdin="".join(f"{n}\n" for n in range(2000)))
        ben.hear("100")
        sending.kill()
        ada.send("the end")
        ben.hear("the end")
        said = [event.text for event in ben.events if event.is_message]
        assert said == [*(str(number) for number in range(len(said) - 1)), "the end"]
        assert contiguous(ben.events)
