"""Where the server can be reached, as the host's window says it."""

from __future__ import annotations

from chat_server.ready_file import Running
from chat_server.window.model import (
    Reach,
)
from common.domain.invite import is_link_local, is_loopback
from common.ui.widgets.safe_text import safe


def moved_text(reach: Reach) -> str:
    """What is said when it can be reached elsewhere now."""
    if reach.local:
        return "This computer is on no network now"
    return f"This computer’s network has changed: new invite links lead to {reach.text}"


def reach_of(running: Running, everywhere: bool) -> Reach:
    """Where a server that runs can be reached; `everywhere`: it listens on every interface."""
    elsewhere = [each for each in running.addresses if not is_loopback(each)]
    # Link-local ones are in the invite for networks that have nothing else: a person needs them
    # only there.
    beyond = [each for each in elsewhere if not is_link_local(each)]
    shown = [safe(each) for each in beyond or elsewhere or running.addresses]
    port = f"port {running.port}"
    all_text = f"{', '.join(shown)}, {port}"
    if beyond:
        note = f"Listening on {all_text}"
    elif elsewhere:
        note = (
            f"Listening on {all_text}. This network gives out no addresses: "
            "only computers on the same cable or Wi-Fi can connect."
        )
    elif everywhere:
        note = (
            "This computer is on no network. Others can join once it has a cable or Wi-Fi: "
            "copy the link then."
        )
    else:
        note = f"Only programs on this computer can connect: {all_text}"
    return Reach(
        text=f"{shown[0]}, {port}",
        all_text=all_text,
        local=not elsewhere,
        note=note,
        invite=running.invite,
    )
