"""The chat's name at the top of the sidebar, and changing it in that place."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import HostView, ServerState
from common.limits import SERVER_NAME_LENGTH
from common.ui.look.avatars import BADGE
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel, Picture
from common.ui.widgets.buttons import Button
from common.ui.widgets.fields import Field
from common.ui.widgets.tooltip import Tooltip

PROGRAM: Final = "ChatServer"
"""Shown until the name is known."""
_NAME_WIDTH: Final = 128
_WIDTH: Final = 204


class ServerName(Panel):
    """Badge, name and sign; a click on it, or the pencil, turns the name into an input field.

    Return or the button beside the field requests the change, Escape cancels. The field stays until
    the view has the new name, or the reason why it was refused. Only while the server runs: the
    name is stored in its database.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme)
        self._theme, self._actions = theme, actions
        self._view: HostView | None = None
        self._waiting = False
        """A change was requested, and its outcome is not known yet."""
        line = Panel(self, theme)
        line.pack(fill="x")
        self._badge = Picture(line, theme, lambda: theme.badge(PROGRAM))
        self._badge.pack(side="left")
        self.button = Button(line, theme, command=self._press, variant="quiet", height=30)
        self.button.set(icon="pencil")
        self._hint = Tooltip(self.button, theme, "Change the chat’s name")
        self._texts = Panel(line, theme)
        self._texts.pack(side="left", padx=(theme.px(10), 0))
        self.name = Label(self._texts, theme, font="server")
        self.name.pack(anchor="w")
        self.sign = Label(self._texts, theme, font="label", tone="muted")
        Tooltip(
            self.sign, theme,
            "This chat’s sign. Guests see it beside the name, with the same colour, "
            "and so can tell it from another chat of that name.",
        )  # fmt: skip
        self.name.bind("<Button-1>", lambda _: self.edit())
        self._whole_name = Tooltip(self.name, theme, "")
        self.field = Field(
            line, theme, height=32, limit=SERVER_NAME_LENGTH,
            on_change=lambda _: self._changed(), on_submit=lambda _: self._submit(),
            on_cancel=self.leave,
        )  # fmt: skip
        self.button.lift()  # Tab follows the stack
        self.problem = Label(self, theme, font="label", tone="danger", wrap=_WIDTH)

    @property
    def editing(self) -> bool:
        """Whether the field is shown."""
        return bool(self.field.winfo_manager())

    def show(self, view: HostView) -> None:
        """Show the name, and the outcome of a requested change."""
        before, self._view = self._view, view
        sign = view.joining.sign_words, view.joining.sign_colour
        was = ("", "") if before is None else (
            before.joining.sign_words, before.joining.sign_colour
        )  # fmt: skip
        if before is None or before.name != view.name or was != sign:
            self._show_name(view.name or PROGRAM, *sign)
        can_change = view.phase is ServerState.RUNNING
        if not can_change and self.editing:
            self.leave()
        if can_change and not self.button.winfo_manager():
            self.button.pack(side="right", after=self._badge)
        elif not can_change:
            self.button.pack_forget()
        self.name.configure(cursor="hand2" if can_change else "")
        if self._waiting and before is not None and before.name_answers != view.name_answers:
            self._waiting = False
            self.field.enabled = True
            if view.name_problem:
                self._show_problem(view.name_problem)
            else:
                self.leave()

    def take_over(self, former: ServerName) -> None:
        """Go on with the name that is being typed in another widget, if one is."""
        if former.editing:
            self.edit()
            self.field.value = former.field.value

    def edit(self) -> None:
        """Replace the name by the field."""
        if self._view is None or self._view.phase is not ServerState.RUNNING or self.editing:
            return
        self._badge.pack_forget()
        self._texts.pack_forget()
        self.button.set(icon="check")
        self._hint.text = "Keep this name"
        self.field.value = self._view.given_name
        self.field.pack(side="left", fill="x", expand=True, padx=(0, self._theme.px(6)))
        self.field.take_keyboard()

    def leave(self) -> None:
        """Cancel editing, and show the name."""
        if not self.editing:
            return
        self._waiting = False
        had_keyboard = self.focus_get() is self.field.entry
        self.field.enabled = True
        self.field.pack_forget()
        self._show_problem("")
        self._badge.pack(side="left", before=self.button)
        self._texts.pack(side="left", padx=(self._theme.px(10), 0))
        self.button.set(icon="pencil")
        self._hint.text = "Change the chat’s name"
        if had_keyboard:
            self.button.focus_set()

    def _press(self) -> None:
        if self.editing:
            self._submit()
        else:
            self.edit()

    def _submit(self) -> None:
        if self._view is None or self._waiting:
            return
        text = " ".join(self.field.value.split())
        if text == self._view.given_name:
            self.leave()
            return
        self._waiting = True
        self.field.enabled = False
        self._actions.rename(text)

    def _changed(self) -> None:
        if not self._waiting:
            self._show_problem("")

    def _show_problem(self, problem: str) -> None:
        self.field.set_error(bool(problem))
        if problem:
            self.problem.set(problem)
            self.problem.pack(anchor="w", pady=(self._theme.px(6), 0))
            self.field.focus_set()
        else:
            self.problem.pack_forget()

    def _show_name(self, name: str, sign: str, colour: str) -> None:
        theme = self._theme
        self._badge.set(lambda: theme.badge(name, ground=colour or BADGE))
        self.sign.set(theme.fonts.fit("label", sign, theme.px(_NAME_WIDTH)))
        if sign:
            self.sign.pack(anchor="w")
        else:
            self.sign.pack_forget()
        fitting = theme.fonts.fit("server", name, theme.px(_NAME_WIDTH))
        self.name.set(fitting)
        self._whole_name.text = name if fitting != name else ""
