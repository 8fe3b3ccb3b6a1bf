"""What a second start and a window say to each other, and what others at the port learn."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.system import second_start
from common.system.open_windows import OpenWindow, announce
from common.system.second_start import (
    HandOverError,
    Lines,
    Request,
    answer,
    hand_over,
    startup_token,
    take_request,
    take_startup_token,
    wait_for_windows,
)

KEY = bytes(range(16))
LINK = "chat://10.0.0.1:1/join?secret=c2VjcmV0"
REQUEST = Request(LINK, "ada@x", "id_TIME5")


class Window:
    """The end of a window: takes requests until it is closed."""

    def __init__(self, key: bytes = KEY, *, takes: bool = True) -> None:
        self.taken: list[Request] = []
        self.errors: list[Exception] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._key, self._takes = key, takes
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def entry(self) -> OpenWindow:
        """Where it is."""
        return OpenWindow("1.json", self._listening.getsockname()[1], KEY, "", 0)

    def close(self) -> None:
        """End it."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                lines = Lines(connection)
                try:
                    self.taken.append(take_request(lines, self._key))
                    answer(lines, taken=self._takes)
                except (OSError, HandOverError) as error:
                    self.errors.append(error)


@contextmanager
def a_window(key: bytes = KEY, *, takes: bool = True) -> Iterator[Window]:
    """One that is closed afterwards."""
    window = Window(key, takes=takes)
    try:
        yield window
    finally:
        window.close()


def closed_port() -> OpenWindow:
    """The entry of a window that is no more."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return OpenWindow("0.json", listening.getsockname()[1], KEY, "", 0)


def test_a_window_takes_what_is_handed_over() -> None:
    """Whatever the text is."""
    texts = [LINK, "", "Ünïcode ☃ \U0001f600 \ud800", "a\nb\x00", "x" * 8192]
    with a_window() as window:
        for text in texts:
            assert hand_over([window.entry], Request(text))
        assert hand_over([window.entry], Request(None, "ada@x", "token"))
    assert window.taken == [*map(Request, texts), Request(None, "ada@x", "token")]


def test_a_long_text_is_cut() -> None:
    """No link is as long as that; whoever wrote it is told that it is none."""
    with a_window() as window:
        assert hand_over([window.entry], Request("\ud800" * 100_000))
    assert window.taken == [Request("\ud800" * 8192)]


def test_the_next_window_is_asked() -> None:
    """Behind one that is no more, that is another program, and that does not want it."""
    with a_window(b"another key") as other, a_window(takes=False) as busy, a_window() as window:
        windows = [closed_port(), other.entry, busy.entry, window.entry]
        assert hand_over(windows, REQUEST)
        assert not hand_over(windows[:3], REQUEST)
    assert window.taken == [REQUEST]
    assert other.taken == []
    assert busy.taken == [REQUEST] * 2


class Eavesdropper:
    """Another program at the port of a window that was killed: what it hears, it says this to."""

    def __init__(self, *said: bytes) -> None:
        self.heard = b""
        self._said = said
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def entry(self) -> OpenWindow:
        """Where it is."""
        return OpenWindow("1.json", self._listening.getsockname()[1], KEY, "", 0)

    def join(self) -> None:
        """Wait for its end, after one connection."""
        self._thread.join()

    def _run(self) -> None:
        with self._listening:
            connection, _ = self._listening.accept()
        with connection:
            for line in self._said:
                connection.sendall(line)
            while came := connection.recv(4096):
                self.heard += came


_NONCE = b"0" * 32


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b'{"nonce": "' + _NONCE + b'", "proof": "' + 64 * b"0" + b'"}\n',
        b'{"nonce": "' + _NONCE + b'"}\n',
        b'{"nonce": 1, "proof": 2}\n',
        '{"nonce": "ä", "proof": "ä"}\n'.encode(),
        b"[]\n",
        b"[" * 4000 + b"\n",
        b'{"taken": true}\n',
        b"x" * 200_000,
    ],
)
def test_another_program_at_the_port_learns_nothing(said: bytes) -> None:
    """It has no key, so it gets a nonce and no link."""
    other = Eavesdropper(said)
    assert not hand_over([other.entry], REQUEST)
    other.join()
    assert other.heard.count(b"\n") == 1
    assert b"chat" not in other.heard


def test_a_program_that_says_nothing_does_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one that says it slowly, byte by byte: the time is for all of it together."""
    monkeypatch.setattr(second_start, "TIMEOUT", 0.05)
    other = Eavesdropper()
    assert not hand_over([other.entry], REQUEST)
    other.join()


def test_who_does_not_know_the_key_is_not_heard() -> None:
    """Any program on this computer can connect to the port."""
    with a_window() as window:
        assert not hand_over([window.entry._replace(key=b"guessed")], REQUEST)
        for said in (b"\n", b"GET / HTTP/1.1\r\n\r\n", b'{"nonce": 5}\n', b"x" * 200_000):
            with socket.create_connection(("127.0.0.1", window.entry.port)) as connection:
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
    assert window.taken == []
    assert len(window.errors) == 5


def _played(request_: bytes) -> list[Request]:
    """What a window takes of a start that knows the key and sends this as its request."""
    taken: list[Request] = []
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def window() -> None:
            with suppress(HandOverError):
                taken.append(take_request(Lines(theirs), KEY))

        thread = threading.Thread(target=window)
        thread.start()
        lines = Lines(ours)
        lines.write({"nonce": "00"})
        told = lines.read()
        text = request_.decode("latin-1").encode("ascii", "ignore").decode()
        proof = second_start._proof(KEY, "start", "00" + told["nonce"], text)
        lines.write({"proof": proof, "request": text})
        thread.join()
    return taken


@given(st.sampled_from([b"", b"[]", b"{}", b'{"link": 1}', b'{"account": null}', b"nul"]))
def test_a_malformed_request_is_not_taken(text: bytes) -> None:
    """Of another version of this program, say."""
    assert _played(text) == []


def test_a_request_may_have_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version's; and none of its token."""
    text = b'{"link": null, "account": "a", "more": 1, "token": 7}'
    assert _played(text) == [Request(None, "a", "")]
    monkeypatch.setenv("DESKTOP_STARTUP_ID", "")
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)
    assert startup_token() == ""
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "t1")
    assert startup_token() == "t1"
    monkeypatch.setenv("DESKTOP_STARTUP_ID", "t2_TIME7")
    assert startup_token() == "t2_TIME7"
    assert take_startup_token() == "t2_TIME7"
    assert take_startup_token() == ""


def test_a_start_waits_for_a_window_that_was_first(tmp_path: Path) -> None:
    """Of two that open at once, the later one waits for the earlier one, and not the other way."""
    first, second = announce(tmp_path), announce(tmp_path)
    assert first is not None
    assert second is not None
    assert wait_for_windows(tmp_path, first) == []
    found: list[OpenWindow] = []
    waiting = threading.Thread(target=lambda: found.extend(wait_for_windows(tmp_path, second)))
    waiting.start()
    first.publish(4711, KEY)
    waiting.join()
    assert [each.port for each in found] == [4711]
    second.publish(4712, KEY)
    assert [each.port for each in wait_for_windows(tmp_path, first)] == [4712]
    first.remove()
    second.remove()


def test_a_window_that_never_opens_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that hangs while it starts, and one that ends meanwhile."""
    first, second = announce(tmp_path), announce(tmp_path)
    assert first is not None
    monkeypatch.setattr(second_start, "OPENING", 0.01)
    assert wait_for_windows(tmp_path, second) == []
    monkeypatch.setattr(second_start, "OPENING", 60)
    first.remove()
    assert wait_for_windows(tmp_path, second) == []
    assert second is not None
    second.remove()
