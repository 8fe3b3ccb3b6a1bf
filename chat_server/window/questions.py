"""The dialogs of the host's window; they are made here and shown by the controller."""

from __future__ import annotations

import re
import tkinter as tk
from collections.abc import Sequence
from typing import Final

from chat_server.window.model import ClientRow, PersonRow
from common.domain.sentences import as_sentence
from common.domain.typed_text import as_ascii
from common.limits import REASON_LENGTH
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Choice, Dialog, Entry
from common.ui.widgets.expiry_options import FOR_EVER, HOUR, until_options
from common.ui.widgets.option_row import Options

CANCEL: Final = "cancel"
"""The choice that changes nothing; Escape and the close button choose it, too."""
YES: Final = "yes"
PERSON: Final = "person"
DEVICE: Final = "device"
ANY_PORT: Final = "any"
_GREATEST_PORT: Final = 65535
_WIDE: Final = 530
"""Width of a dialog with a row of times, px at 96 dpi."""
_OPTION: Final = re.compile(r"(;| or) choose an?(other)? --[^;]*$")
"""The advice for a terminal in the reason of a failed start."""


def terminate(parent: tk.Misc, theme: Theme, rows: Sequence[ClientRow]) -> Dialog:
    """Whether to end connections (`YES`), and the reason for the people."""
    title = f"Terminate the connections of {called(rows)}?"
    what = "They can reconnect with a click; ChatClient doesn’t do so by itself."
    if len(rows) == 1:
        row = rows[0]
        title = f"Terminate {row.name}’s connection?"
        what = (
            f"{row.username} on {row.device}, {row.address}. Their program does not come back by "
            "itself; they can connect again with a click."
        )
    choices = (Choice(CANCEL, "Cancel"), Choice(YES, "Terminate", "danger"))
    return Dialog(parent, theme, title, what, choices, entry=_reason())


def mute(parent: tk.Misc, theme: Theme, rows: Sequence[PersonRow]) -> Dialog:
    """Whether to mute people (`YES`), for how long, and why."""
    return Dialog(
        parent,
        theme,
        f"Mute {called(rows)}?",
        "Muted people can read everything but not write. ChatClient tells them so, and until when.",
        (Choice(CANCEL, "Cancel"), Choice(YES, "Mute", "danger")),
        entry=_reason(),
        options=(until_options(HOUR),),
        width=_WIDE,
    )


def ban(parent: tk.Misc, theme: Theme, rows: Sequence[PersonRow]) -> Dialog:
    """Whether to ban people (`YES`), or only the devices of these connections, for how long."""
    connected = any(isinstance(row, ClientRow) for row in rows)
    them = "this device" if len(rows) == 1 else "these devices"
    whole = "The person" if people_of(rows) == 1 else "The people"
    return Dialog(
        parent,
        theme,
        f"Ban {called(rows)}?",
        "They are disconnected, and can’t come in again. With a person go all their devices, and "
        "a new invite link is made: the old one, which they may know, no longer works.",
        (Choice(CANCEL, "Cancel"), Choice(YES, "Ban", "danger")),
        entry=_reason(),
        options=(
            Options(
                "Whom",
                ((PERSON, whole), *(((DEVICE, f"Only {them}"),) if connected else ())),
                PERSON,
            ),
            until_options(FOR_EVER),
        ),
        width=_WIDE,
    )


def new_invite(parent: tk.Misc, theme: Theme) -> Dialog:
    """Whether to make a new invite link (`YES`)."""
    return Dialog(
        parent,
        theme,
        "Make a new invite link?",
        "The old link stops working, wherever it was sent. People who have joined stay.",
        (Choice(CANCEL, "Cancel"), Choice(YES, "New invite link", "primary")),
    )


def called(rows: Sequence[PersonRow]) -> str:
    """The people of these connections, for a title."""
    count = people_of(rows)
    return rows[0].name if count == 1 else f"{count} people"


def people_of(rows: Sequence[PersonRow]) -> int:
    """The number of people that these connections belong to."""
    return len({row.username for row in rows})


def _reason() -> Entry:
    return Entry("They are told this reason", "", "None", limit=REASON_LENGTH)


def stop(parent: tk.Misc, theme: Theme, people: int) -> Dialog:
    """Whether to stop the server (`YES`) though people are connected."""
    return Dialog(
        parent,
        theme,
        "Stop the server?",
        f"{_who(people)} connected. They are told that the host closed the server, and come back "
        "by themselves when you start it again.",
        (Choice(CANCEL, "Cancel"), Choice(YES, "Stop the server", "danger")),
    )


def close(parent: tk.Misc, theme: Theme, people: int) -> Dialog:
    """Whether to stop the chat (`YES`) by closing the window though people are connected."""
    return Dialog(
        parent,
        theme,
        "Stop the chat?",
        f"{_who(people)} connected. They are told that the host closed the server, and come back "
        "by themselves when you open ChatServer again.",
        (Choice(CANCEL, "Keep open"), Choice(YES, "Stop the chat", "danger")),
    )


def _who(people: int) -> str:
    return "1 person is" if people == 1 else f"{people} people are"


def other_port(
    parent: tk.Misc, theme: Theme, busy: int, reason: str, *, first: bool, wrong: str = ""
) -> Dialog:
    """Which port to use (`YES` with the text of it, or `ANY_PORT`) in place of a busy one.

    `wrong` is an earlier answer that is no valid port.
    """
    message = _sentence(reason)
    if wrong:
        message = f"“{wrong[:20]}” is no port. A port is a number from 1 to {_GREATEST_PORT}."
    return Dialog(
        parent,
        theme,
        f"Port {busy} can’t be used",
        message,
        (
            Choice(CANCEL, "Quit" if first else "Cancel"),
            Choice(ANY_PORT, "Any free port"),
            Choice(YES, "Use this port", "primary"),
        ),
        entry=Entry("Another port", str(next_port(busy)), limit=5),
        icon="warning",
    )


def cannot_start(parent: tk.Misc, theme: Theme, reason: str, *, first: bool) -> Dialog:
    """Why the server can't start, and whether to retry (`YES`).

    Most causes can be fixed while the dialog is open.
    """
    choices = (
        Choice(CANCEL, "Quit" if first else "Close"),
        Choice(YES, "Try again", "primary"),
    )
    text = _sentence(reason)
    return Dialog(parent, theme, "The server can’t start", text, choices, icon="warning", width=440)


def server_failed(parent: tk.Misc, theme: Theme, reason: str) -> Dialog:
    """Why the server has failed, and whether to restart it (`YES`)."""
    text = (
        f"{_sentence(reason)} What was acknowledged is stored; everybody connected comes back by "
        "themselves when the server runs again."
    )
    choices = (Choice(CANCEL, "Close"), Choice(YES, "Start again", "primary"))
    return Dialog(parent, theme, "The server has stopped", text, choices, icon="warning", width=440)


def _sentence(reason: str) -> str:
    """A reason without its advice for a terminal, as a sentence."""
    return as_sentence(_OPTION.sub("", reason))


def next_port(busy: int) -> int:
    """The port to suggest in place of a busy one."""
    return busy + 1 if busy < _GREATEST_PORT else _GREATEST_PORT - 1


def read_port(text: str) -> int | None:
    """The port in a text; None when there is none from 1 to 65535."""
    stripped = as_ascii(text).strip()
    if not (stripped.isascii() and stripped.isdigit()):
        return None
    port = int(stripped)
    return port if 1 <= port <= _GREATEST_PORT else None
