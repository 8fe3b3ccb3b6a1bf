"""The page "Notifications": of what the person is told, how loudly, and when not."""

from __future__ import annotations

import re
import tkinter as tk
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from chat_client.notify.policy import Level
from chat_client.notify.quiet import Quiet
from chat_client.notify.wording import (
    LEVEL_NAMES,
    chosen_quiet,
    describe_quiet,
    quiet_until,
)
from chat_client.settings import SettingsStore
from common.ui.look.theme import Theme
from common.ui.settings.alerts import AlertsPage
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.fields import Field
from common.ui.widgets.safe_text import safe

_NIGHT: Final = (22 * 60, 8 * 60)
"""What is proposed for the hours of each day."""
_TIME: Final = re.compile(r"(\d{1,2})(?:\s*[:.,h]?\s*(\d{2})|[:.h])?")
_HOURS_ARE: Final = "A time of the day is like 7:30 or 22:00."


class Hooks(NamedTuple):
    """What the page needs to know and to have done outside.

    `account` is the key of the account that is open, or None; `name_of_room` names its rooms;
    `status()` says how notifications and sounds are shown here; `test()` shows and plays one.
    """

    account: str | None
    name_of_room: Callable[[str], str]
    status: Callable[[], str]
    test: Callable[[], object]


class NotificationsPage(AlertsPage):
    """Changes each setting at once; `refresh` shows what was chosen elsewhere."""

    def __init__(self, parent: tk.Misc, theme: Theme, store: SettingsStore, hooks: Hooks) -> None:
        super().__init__(parent, theme, store, hooks.status, hooks.test)
        self._store: SettingsStore = store
        self._hooks = hooks
        self._build_what()
        self.add_sound()
        self._build_quiet()
        self._build_rooms()
        self.add_status()
        self.refresh()

    def _build_what(self) -> None:
        self.add_enabled("Shown by the desktop while you do something else.")
        levels = [(level, name) for level, name in LEVEL_NAMES.items()]
        self.direct = self.add_choice(
            self.add_row("Direct messages"), levels, self.setter("direct")
        )
        self.room = self.add_choice(self.add_row("Rooms"), levels, self.setter("rooms"))
        self.preview = self.add_switch(
            "Show names and texts",
            "Without it, a notification only says that there is something new.",
            self.setter("preview"),
        )

    def _build_quiet(self) -> None:
        theme = self._theme
        self.quiet_row = self.add_row("Do not disturb")
        choices = [
            ("off", "Off"),
            ("hour", "For 1 hour"),
            ("tomorrow", "Until 08:00"),
            ("on", "On"),
        ]
        self.quiet = self.add_choice(self.quiet_row, choices, self._set_quiet)
        self.daily = self.add_switch(
            "Do not disturb at the same hours each day", "", self._set_daily
        )
        times = Panel(self.daily.below, theme)
        times.pack(anchor="w", pady=(theme.px(8), 0))
        self.hours: list[Field] = []
        for word in ("from", "to"):
            Label(times, theme, word, tone="muted").pack(side="left", padx=(0, theme.px(8)))
            field = Field(times, theme, height=30, width=64, limit=5)
            field.pack(side="left", padx=(0, theme.px(8)))
            for done in ("<Return>", "<KP_Enter>", "<FocusOut>"):
                field.entry.bind(done, lambda _: self.leave(), add="+")
            self.hours.append(field)
        self.mentions_pass = self.add_switch(
            "Mentions come through all the same", "", self._set_mentions_pass
        )

    def _build_rooms(self) -> None:
        self.rooms_row = self.add_row("Rooms with a choice of their own")
        self.rooms = Panel(self.rooms_row.below, self._theme)
        self.rooms.pack(fill="x")
        self._shown_rooms: dict[str, Level] = {}

    # Changing

    @property
    def _quiet(self) -> Quiet:
        return self._store.settings.notifications.quiet

    def _set_quiet(self, chosen: str) -> None:
        self._store.set_quiet(replace(self._quiet, until=quiet_until(chosen)))

    def _set_daily(self, on: bool) -> None:
        self._store.set_quiet(replace(self._quiet, hours=_NIGHT if on else None))

    def _set_mentions_pass(self, on: bool) -> None:
        self._store.set_quiet(replace(self._quiet, mentions_pass=on))

    def leave(self) -> None:
        """Take the hours as they are typed; one that is no time of the day stays, and is told."""
        if self._quiet.hours is None or not self.winfo_exists():
            return
        times = [parse_time(field.value) for field in self.hours]
        for field, minutes in zip(self.hours, times, strict=True):
            field.set_error(minutes is None)
            if minutes is not None and field.value != clock(minutes):
                field.value = clock(minutes)
        begin, end = times
        self.daily.explain(_HOURS_ARE if begin is None or end is None else "")
        if begin is not None and end is not None and (begin, end) != self._quiet.hours:
            self._store.set_quiet(replace(self._quiet, hours=(begin, end)))

    # Showing

    def refresh(self) -> None:
        """Show the settings as they are."""
        super().refresh()
        settings = self._store.settings
        chosen = settings.notifications
        self.direct.choose(chosen.direct)
        self.room.choose(chosen.room)
        self.preview.switch.set(chosen.preview)
        self._show_quiet(chosen.quiet)
        self._show_rooms(settings.preferences(self._hooks.account or "").rooms)

    def _show_quiet(self, quiet: Quiet) -> None:
        now = datetime.now().astimezone()
        self.quiet.choose(chosen_quiet(quiet, now))
        self.quiet_row.explain(describe_quiet(quiet, now))
        self.daily.switch.set(quiet.hours is not None)
        self.mentions_pass.switch.set(quiet.mentions_pass)
        for place, field in enumerate(self.hours):
            field.enabled = quiet.hours is not None
            minutes = (quiet.hours or _NIGHT)[place]
            # What is being typed stays.
            if not field.enabled or str(field.focus_displayof()) != str(field.entry):
                field.value = clock(minutes)
                field.set_error(False)
        if not any(field.instate(["invalid"]) for field in self.hours):
            self.daily.explain("")

    def _show_rooms(self, rooms: Mapping[str, Level]) -> None:
        theme = self._theme
        if self._hooks.account is None:
            self.rooms_row.pack_forget()
            return
        self.rooms_row.explain(
            "" if rooms else "None. A room’s menu in the list of rooms has them."
        )
        if rooms == self._shown_rooms:
            return
        self._shown_rooms = dict(rooms)
        for child in self.rooms.winfo_children():
            child.destroy()
        for room, level in sorted(rooms.items()):
            row = Panel(self.rooms, theme)
            row.pack(fill="x", pady=(theme.px(6), 0))
            Button(row, theme, "As all", partial(self._forget_room, room), height=28).pack(
                side="right"
            )
            words = f"{self._hooks.name_of_room(room)}: {LEVEL_NAMES[level]}"
            Label(row, theme, safe(words)).pack(side="left")

    def _forget_room(self, room: str) -> None:
        if self._hooks.account is not None:
            self._store.set_level(self._hooks.account, room, None)


def parse_time(text: str) -> int | None:
    """Minutes after midnight of what somebody typed, such as 7, 7.30, 730 or 22:15; None if none.

    24:00 is midnight.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if (hour, minute) == (24, 0):
        return 0
    return hour * 60 + minute if hour < 24 and minute < 60 else None


def clock(minutes: int) -> str:
    """A time of the day, as it is shown."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
