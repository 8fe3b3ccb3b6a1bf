"""What tests of joining do at a guest's window, and at the host."""

from __future__ import annotations

from chat_client.window.join.ways import Way
from common.protocol import messages
from tests.gui.harness import Host, Window


def requests(host: Host) -> tuple[messages.JoinRequest, ...]:
    """Who asks to join."""
    told = host.ask(lambda re: messages.ListRequests(id=re))
    assert isinstance(told, messages.Requests)
    return told.requests


def answer(host: Host, *, admit: bool = False, block: bool = False) -> None:
    """Answer the only request."""
    (request,) = requests(host)
    number = request.request
    if admit:
        host.ask(lambda re: messages.Admit(id=re, request=number))
    else:
        host.ask(lambda re: messages.Deny(id=re, request=number, block=block))


def set_rule(host: Host, rule: str) -> None:
    """Change who may join."""
    host.ask(
        lambda re: messages.SetJoining.model_validate(
            {"id": re, "rule": rule, "moderators_invite": True}
        )
    )


def code_of(host: Host, username: str | None = None) -> str:
    """The code that the host reads out."""
    shown = host.ask(lambda re: messages.ShowCode(id=re, username=username))
    assert isinstance(shown, messages.ShownCode)
    return shown.code


def way(window: Window) -> Way:
    """What the right side is about now."""
    return window.join.way


def digits(window: Window) -> str:
    """The digits on the screen, or "" while there are none."""
    label = window.join.column.waiting.digits
    return str(label.cget("text")).replace(" ", "") if label.winfo_manager() else ""


def asked(window: Window) -> Window:
    """Press Return in the name: the host is asked, and the digits are there."""
    window.key("<Return>", window.join.column.names.name.entry)
    window.wait(lambda: digits(window), "the digits")
    return window
