"""The question what a new invite is to be, for hosts and for moderators."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from typing import Final, NamedTuple

from common.limits import INVITE_NOTE_LENGTH
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Choice, Dialog, Entry
from common.ui.widgets.option_row import Options

MAKE: Final = "yes"
_CANCEL: Final = "cancel"
UNLIMITED: Final = ""
NEVER: Final = ""
_WIDE: Final = 530
"""Width of the dialog, px at 96 dpi."""
_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR
_LIVES: Final = (
    (str(_HOUR), "1 hour"),
    (str(_DAY), "1 day"),
    (str(7 * _DAY), "7 days"),
    (NEVER, "No end"),
)
"""Milliseconds of an invite's life, and what they are called."""
_USES: Final = (("1", "Once"), ("10", "10 people"), (UNLIMITED, "Any number"))


class Wanted(NamedTuple):
    """What an invite is to be: without `uses` for any number, without `expires_in` for ever.

    `expires_in` is in milliseconds.
    """

    note: str
    expires_in: int | None
    uses: int | None


def invite_question(parent: tk.Misc, theme: Theme, *more: Options) -> Dialog:
    """What a new invite is to be (`MAKE`), with `more` options below; see `read_invite`."""
    return Dialog(
        parent,
        theme,
        "New invite",
        "A link of its own, which you can revoke by itself. It is shown once.",
        (Choice(_CANCEL, "Cancel"), Choice(MAKE, "Make the link", "primary")),
        entry=Entry("Note for you", "", "For whom it is", limit=INVITE_NOTE_LENGTH),
        options=(
            Options("Valid for", _LIVES, str(7 * _DAY)),
            Options("Uses", _USES, UNLIMITED),
            *more,
        ),
        width=_WIDE,
    )


def read_invite(text: str, options: Sequence[str]) -> Wanted:
    """The answer to `invite_question`."""
    life, uses, *_ = options
    return Wanted(
        " ".join(text.split()),
        int(life) if life != NEVER else None,
        int(uses) if uses != UNLIMITED else None,
    )
