"""Slow mode and "slow down" in ChatClient's window, with a real server."""

from __future__ import annotations

import time

import pytest

from chat_client.state.news import OutboxChanged, SlowModeSeen, Welcomed
from chat_client.state.outbox_message import OutboxState
from chat_client.window import slow_mode_menu
from chat_client.window.rate_limit_line import rate_limit_text
from common.domain.names import GENERAL
from common.domain.reasons import Reason
from common.protocol import messages
from common.ui.widgets.menus import MenuItem
from tests.gui.harness import Host, Peer, Window

USERNAME = "ada.lindqvist"
DIRECT = f"dm:{USERNAME}:bruno.okafor"


def slow(host: Host, seconds: int) -> None:
    """The host puts the room into slow mode."""
    reply = host.ask(lambda re: messages.SetSlowMode(id=re, room=GENERAL, seconds=seconds))
    assert isinstance(reply, messages.Done)


def set_role(host: Host, *, moderator: bool) -> None:
    """The host gives ada another role."""
    fields = {"username": USERNAME, "role": "moderator" if moderator else "member"}
    reply = host.ask(
        lambda re: messages.SetRole.model_validate({"type": "set_role", "id": re, **fields})
    )
    assert isinstance(reply, messages.Done)


def line(window: Window) -> str:
    """What stands below the composer."""
    return window.main.composer.noted


@pytest.mark.parametrize(
    ("seconds", "next_in", "slow_down", "is_moderator", "text"),
    [
        (0, 0.0, False, False, ""),
        (30, 0.0, False, False, "Slow mode: one message in 30 s"),
        (30, -5.0, False, False, "Slow mode: one message in 30 s"),
        (30, 11.2, False, False, "Slow mode: one message in 30 s, next in 12 s"),
        (30, 31.0, False, False, "Slow mode: one message in 30 s, next in 31 s"),
        (30, 31_536_000.0, False, False, "Slow mode: one message in 30 s"),
        (5400, 3600.0, False, False, "Slow mode: one message in 1 h 30 min, next in 1 h"),
        (30, 11.2, False, True, "Slow mode: one message in 30 s (not for moderators)"),
        (
            0, 0.0, True, False,
            "Slow down: too many messages at once. They are sent one after the other.",
        ),
    ],
)  # fmt: skip
def test_the_line(
    seconds: int, next_in: float, slow_down: bool, is_moderator: bool, text: str
) -> None:
    """In each case, and nothing where there is nothing to say."""
    assert rate_limit_text(seconds, next_in, slow_down=slow_down, is_moderator=is_moderator) == text


def test_a_message_in_slow_mode_waits_and_goes_when_it_may(
    host: Host, ada: Window, bruno: Peer
) -> None:
    """The line says so and counts; a direct message goes at once; nothing is a trouble."""
    slow(host, 600)
    ada.wait(lambda: line(ada) == "Slow mode: one message in 10 min", "the line")
    ada.type("one\n", ada.composer)
    bruno.until(lambda: "one" in bruno.texts(), "the first")
    ada.wait(
        lambda: line(ada).startswith("Slow mode: one message in 10 min, next in 9 min"), "the time"
    )
    ada.type("two\n", ada.composer)
    ada.wait(lambda: "two" in ada.said, "the second, waiting")
    assert not ada.main.banner.winfo_manager()
    ada.main.open(DIRECT)
    assert line(ada) == ""
    ada.type("psst\n", ada.composer)
    bruno.until(lambda: "psst" in bruno.texts(DIRECT), "the direct one")
    assert "two" not in bruno.texts()
    ada.main.open(GENERAL)
    assert "next in" in line(ada)
    slow(host, 0)
    bruno.until(lambda: "two" in bruno.texts(), "the second")
    ada.wait(lambda: line(ada) == "", "no line any more")


def test_a_moderator_chooses_the_interval(
    host: Host, ada: Window, bruno: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a button that others don't have, and not where two talk."""
    del bruno
    shown: list[list[MenuItem]] = []
    monkeypatch.setattr(
        slow_mode_menu, "popup", lambda _parent, _theme, items, _x, _y: shown.append(items)
    )
    button = ada.main.header.open_slow_mode
    assert not button.winfo_manager()
    set_role(host, moderator=True)
    ada.wait(button.winfo_ismapped, "the button")
    ada.main.open(DIRECT)
    assert not button.winfo_manager()
    ada.main.open(GENERAL)
    ada.click(button)
    (menu,) = shown
    choices = {item.label.strip("\N{CHECK MARK}\N{EM SPACE} "): item for item in menu}
    assert choices["any number of messages"].label.startswith("\N{CHECK MARK}")
    chosen = choices["one message in 1 min"].command
    assert chosen is not None
    chosen()
    ada.wait(lambda: ada.main.toasts.text == "Slow mode: one message in 1 min", "the answer")
    ada.wait(lambda: line(ada).endswith("in 1 min (not for moderators)"), "the line")
    slow(host, 90)
    ada.wait(lambda: line(ada).startswith("Slow mode: one message in 1 min 30 s"), "another")
    ada.click(button)
    assert [item.label[2:] for item in shown[-1] if item.label[0] == "\N{CHECK MARK}"] == [
        "one message in 1 min 30 s"
    ]
    set_role(host, moderator=False)
    ada.wait(lambda: not button.winfo_manager(), "no button any more")
    assert line(ada) == "Slow mode: one message in 1 min 30 s"


def test_an_order_that_is_refused_says_why(host: Host, ada: Window) -> None:
    """As when the role was taken in the same moment."""
    del host
    ada.main.slow_mode_menu.choose(GENERAL, 30)
    ada.wait(lambda: ada.main.toasts.text == "Not done: you may not do that", "why")


def test_a_flood_is_told_to_slow_down(ada: Window) -> None:
    """In its room alone, without flicker, and without a banner: nothing is wrong."""
    why = Reason("rate_limited", {"why": "many_messages", "room": GENERAL})
    held = OutboxChanged(GENERAL, "c" * 16, OutboxState.WAITING, 1, why, again=1.0)
    ada.main.apply([held])
    assert line(ada).startswith("Slow down")
    assert not ada.main.banner.winfo_manager()
    ada.main.apply([OutboxChanged(GENERAL, "c" * 16, OutboxState.SENT, 0)])
    assert line(ada).startswith("Slow down")
    ada.main.open(DIRECT)
    assert line(ada) == ""


def test_the_line_stays_with_another_size_of_text(ada: Window) -> None:
    """It goes on counting, by the server's clock."""
    now = time.time_ns() // 1_000_000
    ada.main.apply([Welcomed(now + 3_600_000, time.monotonic())])
    ada.main.apply([SlowModeSeen(GENERAL, 600, now + 3_600_000 + 590_000)])
    assert line(ada).startswith("Slow mode: one message in 10 min, next in 9 min")
    ada.screens.settings.set("looks", "text_size", value=150)
    ada.wait(lambda: ada.program.theme.text_size == 150, "the size")
    assert line(ada).startswith("Slow mode: one message in 10 min, next in 9 min")
