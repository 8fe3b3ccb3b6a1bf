"""The connection of somebody who joins without a link: found, lost, closed at any moment."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from chat_client.accounts import AccountError
from chat_client.net.joining import JoinConnection
from chat_client.options import Name
from chat_client.state.attempts import Failure
from chat_client.state.joining import (
    Connected,
    Digits,
    JoiningNews,
    Refused,
    Unreachable,
    Waiting,
    Withdrawn,
)
from chat_server.rules.view import KnockArrived, KnockEnded
from common.domain.invite import Place
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from tests.process.hosted import Hosted, hosting

DEADLINE: Final = 20.0
ADA: Final = Name("ada", "Ada")


class Box:
    """The news of one attempt."""

    def __init__(self) -> None:
        self.news: queue.SimpleQueue[JoiningNews] = queue.SimpleQueue()

    def next(self) -> JoiningNews:
        """The next one."""
        return self.news.get(timeout=DEADLINE)

    @property
    def empty(self) -> bool:
        """Whether nothing was told."""
        return self.news.empty()


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """A running server."""
    with hosting(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """Whatever ended an attempt, its thread ends."""
    yield
    for thread in threading.enumerate():
        if thread.name == "joining":
            thread.join(DEADLINE)
            assert not thread.is_alive()


def asking(place: Place, box: Box) -> JoinConnection:
    """An attempt."""
    return JoinConnection(
        place, lambda known: (known.fingerprint or b"?" * 16)[:16].hex(), box.news.put
    )


def test_the_certificate_of_a_place_is_learnt_or_is_the_pinned_one(hosted: Hosted) -> None:
    """With a pin that is known, nothing is said to another server."""
    for place in (hosted.place(), hosted.invite.place):
        box = Box()
        with closing(asking(place, box)):
            connected = box.next()
            assert isinstance(connected, Connected)
            assert connected.fingerprint == hosted.invite.fingerprint
    box = Box()
    other = Place(("127.0.0.1",), hosted.invite.port, bytes(32), "")
    with closing(asking(other, box)):
        unreachable = box.next()
        assert isinstance(unreachable, Unreachable)
        assert [each.failure for each in unreachable.attempts] == [Failure.WRONG_SERVER]


def test_who_can_keep_nothing_is_told_so(hosted: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    """In a home that can't be written to; the host is not asked, and it is no internal error."""

    def installation(_: Place) -> str:
        raise AccountError("/home/ada/installation can't be written: Read-only file system")

    box = Box()
    with closing(JoinConnection(hosted.place(), installation, box.news.put)) as attempt:
        assert isinstance(box.next(), Connected)
        attempt.knock(ADA)
        refused = box.next()
    assert isinstance(refused, Refused)
    assert sentence(refused.reason) == (
        "this computer can't store messages: "
        "/home/ada/installation can't be written: Read-only file system"
    )
    assert refused.over
    assert hosted.shown.empty()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_what_is_asked_before_the_connection_stands_is_done_then(hosted: Hosted) -> None:
    """The window need not wait for it."""
    box = Box()
    with closing(asking(hosted.place(), box)) as joining:
        joining.knock(ADA)
        assert [type(box.next()) for _ in range(3)] == [Connected, Digits, Waiting]
        joining.withdraw()
        assert box.next() == Withdrawn()
        joining.knock(Name("bob", "Bob"))
        assert [type(box.next()) for _ in range(2)] == [Digits, Waiting]


def test_who_closes_asks_no_longer_and_hears_nothing(hosted: Hosted) -> None:
    """From any thread, twice, and while something is told."""
    box = Box()
    joining = asking(hosted.place(), box)
    joining.knock(ADA)
    hosted.next(KnockArrived)
    assert [type(box.next()) for _ in range(3)] == [Connected, Digits, Waiting]
    joining.close()
    joining.close()
    ended = hosted.next(KnockEnded)
    assert isinstance(ended, KnockEnded)
    assert ended.why in {"left", "lost"}
    joining.knock(ADA)
    joining._thread.join(DEADLINE)
    assert box.empty


def test_it_may_be_closed_by_what_it_tells(hosted: Hosted) -> None:
    """As a window does that has seen enough."""
    heard: list[JoiningNews] = []
    made: queue.SimpleQueue[JoinConnection] = queue.SimpleQueue()

    def tell(news: JoiningNews) -> None:
        heard.append(news)
        made.get(timeout=DEADLINE).close()

    joining = JoinConnection(hosted.place(), lambda _: "7" * 32, tell)
    joining.knock(ADA)
    made.put(joining)
    joining._thread.join(DEADLINE)
    assert [type(each) for each in heard] == [Connected]


def test_a_server_that_ends_is_told_with_its_words(hosted: Hosted) -> None:
    """Once: the front end knows then that another attempt is needed."""
    box = Box()
    with closing(asking(hosted.place(), box)) as joining:
        joining.knock(ADA)
        assert [type(box.next()) for _ in range(3)] == [Connected, Digits, Waiting]
        hosted.server.stop()
        assert box.next() == Refused(Reason("joining_closed"), over=True)
        assert box.empty


def test_nobody_there_is_told_with_what_was_tried() -> None:
    """For each address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    box = Box()
    with closing(asking(Place(("127.0.0.1", "127.0.0.2"), port, None, ""), box)) as joining:
        joining.knock(ADA)
        unreachable = box.next()
        assert isinstance(unreachable, Unreachable)
        assert [each.address for each in unreachable.attempts] == ["127.0.0.1", "127.0.0.2"]
        assert {each.failure for each in unreachable.attempts} == {Failure.REFUSED}


@pytest.mark.parametrize("act", [lambda _: None, lambda joining: joining.knock(ADA)])
def test_it_may_be_closed_while_it_connects(act: Callable[[JoinConnection], object]) -> None:
    """To a computer that says nothing: it does not wait for the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        box = Box()
        joining = asking(Place(("127.0.0.1",), silent.getsockname()[1], None, ""), box)
        act(joining)
        joining.close()
        joining._thread.join(DEADLINE)
        assert not joining._thread.is_alive()
        assert box.empty


def test_a_server_without_tls_is_no_place_to_join() -> None:
    """Something answers there that is no ChatServer."""
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            connection, _ = plain.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
                connection.recv(4096)

        other = threading.Thread(target=answer)
        other.start()
        box = Box()
        with closing(asking(Place(("127.0.0.1",), plain.getsockname()[1], None, ""), box)):
            unreachable = box.next()
        other.join()
    assert isinstance(unreachable, Unreachable)
    assert unreachable.attempts[0].failure in {Failure.NO_TLS, Failure.BROKE_OFF}
