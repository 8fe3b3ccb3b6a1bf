"""The questions about one's own account: another name, and the end of the account."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final, Literal

from chat_client.state.account import Account
from common.domain.display_names import clean_display_name
from common.domain.names import NameRefusedError
from common.domain.sentences import whole_sentence
from common.limits import DISPLAY_NAME_LENGTH, USERNAME_LENGTH
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Choice, Dialog, Entry
from common.ui.widgets.option_row import Options
from common.ui.widgets.safe_text import safe

YES: Final = "yes"
_WIDE: Final = 460
"""Width of the dialog about the end of the account, px at 96 dpi."""
_RENAME: Final = "Everybody sees it at once, also beside what you said before."
_DELETE: Final = (
    "This can’t be undone. All your devices are signed out, nobody can use your username again, "
    "and the conversations on this computer are removed."
)

Asked = Callable[[Dialog], object]


def name_question(parent: tk.Misc, theme: Theme, value: str, said: str = _RENAME) -> Dialog:
    """The dialog for another display name; `said` is what was wrong with the last one."""
    return Dialog(
        parent,
        theme,
        "Change your name",
        said,
        (Choice("no", "Cancel"), Choice(YES, "Change it", "primary")),
        entry=Entry("Your name", value, limit=DISPLAY_NAME_LENGTH),
    )


def ask_name(parent: tk.Misc, theme: Theme, name: str, chat_name: str, asked: Asked) -> str | None:
    """Ask for another display name; None if there is none. `asked` is told of each dialog."""
    dialog = name_question(parent, theme, name)
    while True:
        asked(dialog)
        answer = dialog.ask()
        if answer.choice != YES:
            return None
        try:
            cleaned = clean_display_name(answer.text, chat_name)
        except NameRefusedError as error:
            said = safe(whole_sentence(error.reason))
            dialog = name_question(parent, theme, answer.text, said)
        else:
            return None if cleaned == name else cleaned


def deletion_question(
    parent: tk.Misc,
    theme: Theme,
    username: str,
    typed: str = "",
    fate: str = "keep",
    problem: str = "",
) -> Dialog:
    """The dialog before the account is deleted, with what was typed and chosen in the last one."""
    return Dialog(
        parent,
        theme,
        "Delete your account?",
        f"{problem}{_DELETE}",
        (Choice("no", "Cancel"), Choice(YES, "Delete my account", "danger")),
        entry=Entry(
            f"Type your username, {username}, to confirm", typed, limit=USERNAME_LENGTH + 1
        ),
        options=(
            Options(
                "Your messages",
                (("keep", "Stay, as a former member’s"), ("remove", "Are removed")),
                fate,
            ),
        ),
        width=_WIDE,
    )


def ask_deletion(
    parent: tk.Misc, theme: Theme, username: str, asked: Asked
) -> Literal["keep", "remove"] | None:
    """Ask whether the account is to be deleted, and its messages too; None if it is not.

    The username has to be typed: a click that was meant for something else deletes nothing.
    """
    dialog = deletion_question(parent, theme, username)
    while True:
        asked(dialog)
        answer = dialog.ask()
        if answer.choice != YES:
            return None
        (fate,) = answer.options
        if answer.text.strip().removeprefix("@").lower() == username:
            return "remove" if fate == "remove" else "keep"
        wrong = "Nothing was deleted: that is not your username. "
        dialog = deletion_question(parent, theme, username, answer.text, fate, wrong)


def removal(parent: tk.Misc, theme: Theme, account: Account) -> Dialog:
    """The question before a deleted account is removed from this computer."""
    return Dialog(
        parent,
        theme,
        "Remove it from this computer?",
        (
            f"Your account in {safe(account.invite.server_name)} was deleted. What this computer "
            "still has of its conversations goes, and can’t be fetched again."
        ),
        (Choice("no", "Cancel"), Choice(YES, "Remove", "danger")),
    )
