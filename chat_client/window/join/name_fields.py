"""The name that one joins with, and the username that goes with it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from chat_client.options import Name, name_of
from chat_client.state.account import Account
from chat_client.window.join.titles import Row, Title
from common.domain.display_names import clean_display_name
from common.domain.names import NameRefusedError, fold_username
from common.domain.sentences import as_sentence
from common.ui.look.theme import Theme
from common.ui.widgets.fields import Field
from common.ui.widgets.safe_text import safe

_LONGEST: Final = 64
"""Maximum length of the username's field in characters."""


class NameFieldError(Exception):
    """A name can't be used: the text says why, and `field` where."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


class NameFields:
    """Two fields of the column; `on_change()` for each edit, `on_submit()` for Return.

    The username is made of the name at each key, until the person types one. `on_link(text)` is
    asked about a text that no name is: whether it is an invite link, which was pasted here because
    the keyboard was here.
    """

    def __init__(
        self,
        column: tk.Misc,
        theme: Theme,
        on_change: Callable[[], object],
        on_submit: Callable[[], object],
        on_link: Callable[[str], bool],
    ) -> None:
        self._on_change, self._on_link = on_change, on_link
        self._before = ""
        """The name before the last edit."""
        self._proposed = ""
        """The username that was made of the name."""
        self._offered = ""
        """The name that was proposed, and gives way to a better proposal."""
        self._former: Account | None = None
        titles = (
            Title(column, theme, "Your name", "Others see this"),
            Title(column, theme, "Your username", "a–z, 0–9 and . _ -"),
        )
        self.name = Field(
            column,
            theme,
            height=42,
            font="field",
            on_change=self._typed,
            on_submit=lambda *_: on_submit(),
        )
        tk.Misc.lift(titles[1])  # Tab follows the stacking order
        self.username = Field(
            column,
            theme,
            height=36,
            limit=_LONGEST,
            on_change=lambda _: on_change(),
            on_submit=lambda *_: on_submit(),
        )
        self.titles = titles
        self.rows = (
            Row(titles[0], 16),
            Row(self.name, 5),
            Row(titles[1], 14),
            Row(self.username, 5),
        )

    @property
    def is_as_offered(self) -> bool:
        """Whether the person has not typed another name than the one that was proposed."""
        return self.name.value == self._offered

    def propose(self, name: str, username: str = "") -> None:
        """Fill in a name that the person may change."""
        self._offered = self.name.value = name
        if username:
            self._proposed = self.username.value = username

    def propose_former(self, account: Account | None) -> bool:
        """Propose the name of an account in the chat that only has a new identity.

        False if there is none, or the person has typed another name.
        """
        self._former = account
        if account is None or self.name.value not in {"", self._offered}:
            return False
        self.propose(safe(account.display_name), account.username)
        return True

    def result(self) -> Name:
        """The name to join with. Raises NameFieldError."""
        former = self._former
        display_name = " ".join(self.name.value.split())
        if not display_name:
            raise NameFieldError("Enter the name that others will see.", "display_name")
        if former is not None and self.username.value == former.username:
            # Whatever is asked of new names: this one was given already.
            return Name(former.username, former.display_name)
        try:
            display_name = clean_display_name(display_name)
        except NameRefusedError as error:
            raise NameFieldError(as_sentence(str(error)), "display_name") from error
        try:
            username = fold_username(self.username.value.strip().removeprefix("@"))
        except NameRefusedError as error:
            raise NameFieldError(as_sentence(str(error)), "username") from error
        return Name(username, display_name)

    def take_over(self, former: NameFields) -> None:
        """Show what other fields show."""
        self._offered, self._former = former._offered, former._former
        self.name.take_over(former.name)
        self.username.take_over(former.username)
        self._proposed = former._proposed

    def _typed(self, name: str) -> None:
        """Propose the username that goes with a name, unless the person has chosen one."""
        if "://" in name and self._take_link(name):
            return
        self._before = name
        if self.username.value == self._proposed:
            known = name_of(name)
            self._proposed = known.username if known is not None else ""
            self.username.value = self._proposed
        self._on_change()

    def _take_link(self, text: str) -> bool:
        if not self._on_link(text):
            return False
        # When the paste is done: it puts the cursor behind what it has inserted.
        self.name.after_idle(self._give_back)
        return True

    def _give_back(self) -> None:
        self.name.value = self._before
        self.name.select_all()
