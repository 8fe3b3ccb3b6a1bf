"""Going to a date in a conversation: the menu of a day's heading, and the dialog for a date."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Protocol

from chat_client.window.dates import begins, day_of
from common.domain.times import local_time
from common.ui.look.theme import Theme
from common.ui.widgets.dialog import Choice, Dialog, Entry
from common.ui.widgets.keys import GO_TO_DATE_TITLE
from common.ui.widgets.menus import MenuItem
from common.ui.widgets.safe_text import safe


class DateNavigator(Protocol):
    """The message list, as far as the menu uses it."""

    def go_to_time(self, at: int) -> None:
        """To the first message from a time on."""

    def go_to_first(self) -> None:
        """To the oldest message."""

    def show_latest(self) -> None:
        """To the newest one."""


def day_menu(
    messages: DateNavigator, sent_at: int, another: Callable[[], object]
) -> list[MenuItem]:
    """The menu of the heading of the day of `sent_at`."""
    day = local_time(sent_at).date()

    def to(days_before: int) -> Callable[[], None]:
        return lambda: messages.go_to_time(begins(day - timedelta(days=days_before)))

    return [
        MenuItem("The beginning of this day", to(0)),
        MenuItem("A week earlier", to(7)),
        MenuItem("A month earlier", to(30)),
        MenuItem("The first message", messages.go_to_first),
        MenuItem("The latest message", messages.show_latest),
        MenuItem(),
        MenuItem(f"Another date… ({GO_TO_DATE_TITLE})", another),
    ]


def question(parent: tk.Misc, theme: Theme, value: str, problem: str = "") -> Dialog:
    """The dialog for a date, with the field's initial value, and the error of the last input."""
    return Dialog(
        parent,
        theme,
        "Go to a date",
        problem or "The conversation is shown from the beginning of that day.",
        (Choice("no", "Cancel"), Choice("yes", "Go there", "primary")),
        entry=Entry("Date", value, "2026-05-03, 3 May, yesterday", limit=40),
        tone="text",
    )


def wrong(text: str, today: date) -> str:
    """The error for a text that is no date."""
    return f"“{safe(text.strip())}” is no date. Write it as in {today.isoformat()} or “3 May”."


def ask(parent: tk.Misc, theme: Theme, asked: Callable[[Dialog], object]) -> int | None:
    """Ask for a date; returns its start in milliseconds since 1970-01-01 UTC, None for none.

    `asked` is called with each dialog before it is shown.
    """
    today = datetime.now().astimezone().date()
    value, problem = today.isoformat(), ""
    while True:
        dialog = question(parent, theme, value, problem)
        asked(dialog)
        answer = dialog.ask()
        if answer.choice != "yes":
            return None
        day = day_of(answer.text, today)
        if day is not None:
            return begins(day)
        value, problem = answer.text, wrong(answer.text, today)
