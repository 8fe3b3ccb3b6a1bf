"""Notifications by the library of Windows and macOS, in whose place is one that a test plays."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from enum import Enum
from queue import SimpleQueue
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from common.desktop import native
from common.desktop.native import NativeNotifier
from common.desktop.notification import Notification
from common.desktop.notifier import (
    Activated,
    App,
    Code,
    Dismissed,
    Event,
    Found,
    NotifierState,
    Replied,
)


class Capability(Enum):
    """Those of the library that are asked for."""

    TITLE = 1
    ON_CLICKED = 2
    REPLY_FIELD = 3


class Library:
    """What the system was told, and how it answers."""

    def __init__(self) -> None:
        self.heard: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self.capabilities = frozenset(Capability)
        self.allowed = True
        self.error: Exception | None = None
        self.shown = 0

    def next(self) -> tuple[str, Any]:
        """What was told next."""
        return self.heard.get(timeout=10)

    async def get_capabilities(self) -> frozenset[Capability]:
        """As the library's."""
        if self.error is not None:
            raise self.error
        return self.capabilities

    async def request_authorisation(self) -> bool:
        """As the library's."""
        return self.allowed

    async def send(self, **what: Any) -> str:
        """As the library's."""
        self.heard.put(("send", what))
        self.shown += 1
        return str(self.shown)

    async def clear(self, identifier: str) -> None:
        """As the library's."""
        self.heard.put(("clear", identifier))


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """In the place of the real one."""
    library = Library()
    module: Any = ModuleType("desktop_notifier")
    module.Capability = Capability
    module.DesktopNotifier = lambda _name, _icon: library
    module.Icon = module.ReplyField = SimpleNamespace
    module.Urgency = SimpleNamespace(Critical="critical", Normal="normal")
    monkeypatch.setitem(sys.modules, "desktop_notifier", module)
    return library


@pytest.fixture
def told() -> SimpleQueue[Event]:
    """What the notifier told."""
    return SimpleQueue()


@pytest.fixture
def notifier(library: Library, told: SimpleQueue[Event]) -> Iterator[NativeNotifier]:
    """Stopped at the end, with nothing left."""
    assert library.heard.empty()
    notifier = NativeNotifier(App("Chat", "lan.chat.ChatClient"), told.put)
    yield notifier
    notifier.stop()
    end = time.monotonic() + 10
    while any(thread.name == "notifications" for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.005)


def test_one_is_shown_replaced_clicked_and_taken_away(
    library: Library, notifier: NativeNotifier, told: SimpleQueue[Event]
) -> None:
    """The whole way."""
    notifier.show(Notification("a", "Ada\u202e", "one\ntwo", urgent=True, can_reply=True))
    called, what = library.next()
    assert (called, what["title"], what["message"]) == ("send", "Ada", "one two")
    assert what["urgency"] == "critical"
    assert "thread" not in what
    state = NotifierState(Code.AVAILABLE, actions=True, replies=True)
    assert told.get(timeout=10) == Found(state)
    notifier.show(Notification("a", "", "again"))
    assert library.next() == ("clear", "1")
    called, second = library.next()
    assert (second["title"], second["reply_field"]) == ("Chat", None)
    second["on_clicked"]()
    assert told.get(timeout=10) == Activated("a")
    notifier.close("a")
    notifier.show(Notification("b", "Bob", can_reply=True))
    called, third = library.next()
    assert called == "send"  # what was clicked is not taken away once more
    third["reply_field"].on_replied("yes")
    third["on_dismissed"]()
    assert [told.get(timeout=10), told.get(timeout=10)] == [Replied("b", "yes"), Dismissed("b")]
    notifier.show(Notification("c", "Cy"))
    library.next()
    notifier.stop()
    notifier.show(Notification("d", "Di"))
    assert library.next() == ("clear", "4")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"allowed": False}, Code.REFUSED),
        ({"capabilities": frozenset()}, Code.UNSUPPORTED),
        ({"error": OSError("SECRET")}, Code.NO_ANSWER),
    ],
)
def test_what_cannot_be_shown_is_a_state(
    library: Library,
    notifier: NativeNotifier,
    told: SimpleQueue[Event],
    caplog: pytest.LogCaptureFixture,
    change: dict[str, Any],
    code: Code,
) -> None:
    """And no error, and no text in the log."""
    caplog.set_level(logging.DEBUG)
    vars(library).update(change)
    notifier.show(Notification("a", "SECRET", "SECRET"))
    assert told.get(timeout=10) == Found(NotifierState(code))
    notifier.look()
    assert told.get(timeout=10) == Found(NotifierState(code))
    assert library.heard.empty()
    logging.getLogger("desktop_notifier.backends.base").warning("SECRET")
    assert "SECRET" not in caplog.text


def test_without_the_library_it_is_unsupported(
    notifier: NativeNotifier, told: SimpleQueue[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on systems it is not installed on."""
    monkeypatch.setitem(sys.modules, "desktop_notifier", None)
    notifier.look()
    assert told.get(timeout=10) == Found(NotifierState(Code.UNSUPPORTED))


def test_what_a_person_allows_too_late_is_no_news(
    library: Library,
    notifier: NativeNotifier,
    told: SimpleQueue[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody has to see what was said a while ago."""
    monkeypatch.setattr(native, "TOO_OLD", -1.0)
    notifier.show(Notification("a", "old"))
    notifier.look()
    found = Found(NotifierState(Code.AVAILABLE, actions=True, replies=True))
    assert [told.get(timeout=10), told.get(timeout=10)] == [found, found]
    assert library.heard.empty()
