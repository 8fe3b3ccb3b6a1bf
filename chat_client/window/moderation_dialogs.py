"""A moderator's menu for a person, and the dialogs before an action."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from typing import Final

from chat_client.state.moderation import Action, Moderation
from common.domain.reasons import Reason
from common.domain.sentences import sentence
from common.limits import REASON_LENGTH
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Choice, Dialog, Entry
from common.ui.widgets.expiry_options import FOR_EVER, HOUR, until_options, until_time
from common.ui.widgets.menus import MenuItem
from common.ui.widgets.safe_text import safe

YES: Final = "yes"
_WIDE: Final = 530
"""Width of a dialog with a row of times, px at 96 dpi."""
_QUESTIONS: Final[dict[Action, tuple[str, str, str]]] = {
    "mute": (
        "Mute {}?",
        "They can read everything but not write. ChatClient tells them so, and until when.",
        "Mute",
    ),
    "ban": (
        "Ban {}?",
        (
            "They are disconnected, and don’t come in again with any of their devices. A new "
            "invite link is made: the old one, which they may know, no longer works."
        ),
        "Ban",
    ),
    "terminate": (
        "Terminate {}’s connection?",
        "ChatClient doesn’t reconnect by itself; they can sign in again with a click.",
        "Terminate",
    ),
}
_DONE: Final[dict[Action, str]] = {
    "mute": "{} is muted",
    "unmute": "{} may write again",
    "ban": "{} is banned",
    "unban": "{} may come in again",
    "terminate": "{}’s connection was terminated",
}


def menu_items(
    do: Callable[[Action], object], *, muted: bool | None, banned: bool | None, connected: bool
) -> list[MenuItem]:
    """What a moderator can do to a person, who is muted or banned or not, or not known to be.

    Who is not `connected` has no connection to terminate.
    """
    terminate = MenuItem("Terminate…", partial(do, "terminate"), danger=True)
    return [
        *([] if muted else [MenuItem("Mute…", partial(do, "mute"))]),
        *([] if muted is False else [MenuItem("Unmute", partial(do, "unmute"))]),
        MenuItem(),
        *([terminate] if connected else []),
        *([] if banned else [MenuItem("Ban…", partial(do, "ban"), danger=True)]),
        *([] if banned is False else [MenuItem("Unban", partial(do, "unban"))]),
    ]


def question(parent: tk.Misc, theme: Theme, action: Action, name: str) -> Dialog:
    """The dialog before an action: whether (`YES`), why, and for a ban or a mute how long."""
    title, text, yes = _QUESTIONS[action]
    timed = action != "terminate"
    return Dialog(
        parent,
        theme,
        title.format(safe(name)),
        text,
        (Choice("no", "Cancel"), Choice(YES, yes, "danger")),
        entry=Entry("They are told this reason", "", "None", limit=REASON_LENGTH),
        options=(until_options(HOUR if action == "mute" else FOR_EVER),) if timed else (),
        width=_WIDE,
    )


def ask(dialog: Dialog, action: Action, username: str, now: Callable[[], int]) -> Moderation | None:
    """Show the dialog; returns the action, or None. `now` returns the server's current time."""
    answer = dialog.ask()
    if answer.choice != YES:
        return None
    until = until_time(answer.options[0], now()) if answer.options else None
    return Moderation(action, username, until, answer.text.strip())


def done(action: Action, name: str, note: Reason | None) -> str:
    """The confirmation after an action, with what was left out of it."""
    said = _DONE[action].format(safe(name))
    return said if note is None else f"{said}: {safe(sentence(note))}"
