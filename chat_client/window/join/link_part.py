"""Joining with an invite link: the field for it, and the offer of one that was copied."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from chat_client.window.join.titles import Row, Title
from common.domain.invite import Invite, InviteError
from common.domain.pasted_invite import find_invite
from common.ui.look.theme import Theme
from common.ui.widgets.fields import Field

_LONGEST: Final = 8192
"""Maximum length of the field in characters: a link and the mail around it."""


class LinkPart:
    """The link's field; `on_change()` for each edit, `on_submit()` for Return."""

    def __init__(
        self,
        column: tk.Misc,
        theme: Theme,
        on_change: Callable[[], object],
        on_submit: Callable[[], object],
    ) -> None:
        self.title = Title(column, theme, "Invite link", "From the host")
        self.link = Field(
            column,
            theme,
            icon="link",
            height=42,
            font="field",
            limit=_LONGEST,
            on_change=lambda _: on_change(),
            on_submit=lambda *_: on_submit(),
        )
        self.rows = (Row(self.title, 16), Row(self.link, 5))

    @property
    def invite(self) -> Invite | None:
        """What the link leads to, as soon as it can be read."""
        try:
            return find_invite(self.link.value)
        except InviteError:
            return None

    def result(self) -> Invite:
        """The invite. Raises InviteError, which says what is wrong with the link."""
        return find_invite(self.link.value)
