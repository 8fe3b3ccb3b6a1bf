"""Guessing the spoken code at a whole server, from many connections and addresses at once."""

from __future__ import annotations

import queue
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

import pytest

from chat_server.rules import spoken_codes
from chat_server.rules.view import ClientRefused, CodeChanged
from chat_server.x25519 import x25519
from common import limits
from common.protocol import messages
from common.protocol.codec import ClientEnd
from common.protocol.cpace import Role
from common.protocol.joining_proofs import code_exchange
from tests.process.hosted import Hosted, hosting
from tests.process.relay import DEADLINE

GUESSES: Final = 1000
AT_ONCE: Final = 8


class Guesser:
    """A connection from one of this computer's addresses, without TLS, that tries codes."""

    def __init__(self, port: int, address: str) -> None:
        self._socket = socket.create_connection(
            ("127.0.0.1", port), timeout=DEADLINE, source_address=(address, 0)
        )
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._end = ClientEnd()
        self._numbers = iter(range(1, 100))
        hello = messages.Hello(
            id=next(self._numbers), protocol=limits.PROTOCOL_VERSION, program="Guesser"
        )
        assert isinstance(self._ask(hello), messages.Welcome)

    def guess(self, code: str) -> str:
        """The code of the error, or "" if it was right."""
        sid = secrets.token_bytes(16)
        exchange = code_exchange(Role.INITIATOR, code, b"", sid, x25519)
        start = messages.CodeStart(
            id=next(self._numbers), sid=sid.hex(), share=exchange.share.hex()
        )
        share = self._ask(start)
        if isinstance(share, messages.Error):
            return share.code
        assert isinstance(share, messages.CodeShare)
        exchange.agree(bytes.fromhex(share.share))
        proof = messages.CodeProof(id=next(self._numbers), tag=exchange.tag().hex())
        reply = self._ask(proof)
        return reply.code if isinstance(reply, messages.Error) else ""

    def _ask(self, command: messages.ToServer) -> object:
        self._socket.sendall(self._end.send(command))
        while True:
            data = self._socket.recv(65536)
            assert data, "the server hung up"
            for reply in self._end.receive(data):
                return reply

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """A running server without TLS, which would only cost time here."""
    with hosting(tmp_path, monkeypatch, "--plaintext") as made:
        yield made


def addresses() -> Iterator[str]:
    """Addresses of this computer's own, each once."""
    return (f"127.2.{high}.{low}" for high in range(256) for low in range(1, 255))


def wrong_codes(code: str) -> Iterator[str]:
    """All of them are others than this one."""
    while True:
        guess = "".join(secrets.choice("23456789") for _ in range(8))
        if guess != code:
            yield guess


def test_of_a_thousand_guesses_at_once_a_hundred_are_judged_against_one_code(
    hosted: Hosted,
) -> None:
    """From a thousand addresses, by several threads; then it is another code, each time."""
    first = hosted.code()
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    for address in islice(addresses(), GUESSES):
        todo.put(address)
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()

    def guess() -> None:
        while True:
            try:
                address = todo.get_nowait()
            except queue.Empty:
                return
            with closing(Guesser(hosted.running.port, address)) as guesser:
                answers.put(guesser.guess(next(wrong_codes(first))))

    threads = [threading.Thread(target=guess) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = [answers.get_nowait() for _ in range(GUESSES)]
    assert set(got) <= {"bad_code", "no_code", "rate_limited"}
    judged = [0]
    codes = 1
    while sum(judged) < got.count("bad_code") or codes < len(judged):
        event = hosted.shown.get(timeout=DEADLINE)
        if isinstance(event, ClientRefused) and event.code == "bad_code":
            judged[-1] += 1
        elif isinstance(event, CodeChanged) and event.why == "guessed":
            judged.append(0)
            codes += 1
    assert got.count("bad_code") > GUESSES / 2, "that many it could try"
    assert set(judged[:-1]) == {spoken_codes.MOST_WRONG}
    assert judged[-1] <= spoken_codes.MOST_WRONG
    assert hosted.code() != first


def test_twenty_wrong_codes_of_one_address_leave_the_code_to_others(hosted: Hosted) -> None:
    """By connections one after the other, and by one that tries again and again."""
    code = hosted.code()
    answers: list[str] = []
    for _ in range(10):
        with closing(Guesser(hosted.running.port, "127.2.0.66")) as guesser:
            answers += [guesser.guess(next(wrong_codes(code))) for _ in range(2)]
    assert answers == ["bad_code"] * 5 + ["rate_limited"] * 15
    with closing(Guesser(hosted.running.port, "127.2.0.66")) as guesser:
        assert guesser.guess(code) == "rate_limited"
    with closing(Guesser(hosted.running.port, "127.2.0.7")) as guest:
        assert guest.guess(code) == ""
