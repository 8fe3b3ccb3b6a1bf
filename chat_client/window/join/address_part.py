"""Finding a chat by an address that somebody types."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

from chat_client.window.join.titles import Row, Title
from common.domain.invite import Place
from common.domain.typed_address import LONGEST, parse_address
from common.ui.look.theme import Theme
from common.ui.widgets.fields import Field


class AddressPart:
    """The address's field; `on_change()` for each edit, `on_submit()` for Return."""

    def __init__(
        self,
        column: tk.Misc,
        theme: Theme,
        on_change: Callable[[], object],
        on_submit: Callable[[], object],
    ) -> None:
        self.title = Title(column, theme, "Address", "The host's window shows it")
        self.address = Field(
            column,
            theme,
            placeholder="192.168.1.20",
            height=42,
            font="field",
            limit=LONGEST + 1,
            on_change=lambda _: on_change(),
            on_submit=lambda *_: on_submit(),
        )
        self.rows = (Row(self.title, 16), Row(self.address, 5))

    def result(self) -> Place:
        """Where that is, without a fingerprint. Raises ValueError, which says what is wrong."""
        host, port = parse_address(self.address.value)
        return Place((host,), port, None, host)
