"""Modal dialogs: a question in a window of its own, with buttons, options and a field."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from common.ui.look.icons import IconName
from common.ui.look.palette import Tone
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button, Variant
from common.ui.widgets.fields import Field
from common.ui.widgets.option_row import OptionRow, Options


@dataclass(frozen=True, slots=True)
class Choice:
    """A button of a dialog; `id` is what the answer names."""

    id: str
    label: str
    variant: Variant = "secondary"


@dataclass(frozen=True, slots=True)
class Entry:
    """A field in a dialog."""

    label: str = ""
    value: str = ""
    placeholder: str = ""
    secret: bool = False
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person chose (the cancel choice when the window was closed) and typed.

    `options` are the ids chosen in each row of options.
    """

    choice: str
    text: str = ""
    options: tuple[str, ...] = ()


class Dialog:
    """A modal question, in the middle of its parent.

    The last choice is the default: Return presses it, unless another button has the focus.
    Where it is a `danger` and there is no field, `cancel` is the default: a Return or Space that
    was meant for another widget must not do what can't be undone. Escape and the close button
    choose `cancel` (the first choice if not named).
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        title: str,
        message: str,
        choices: Sequence[Choice] = (Choice("ok", "OK", "primary"),),
        *,
        cancel: str | None = None,
        entry: Entry | None = None,
        options: Sequence[Options] = (),
        icon: IconName | None = None,
        tone: Tone = "text",
        width: int = 400,
    ) -> None:
        self._parent, self._theme = parent, theme
        self._cancel = cancel if cancel is not None else choices[0].id
        unasked = choices[-1].variant == "danger" and entry is None
        self._default = self._cancel if unasked else choices[-1].id
        self._answer = Answer(self._cancel)
        self.buttons: dict[str, Button] = {}
        self.field: Field | None = None
        self.options: list[OptionRow] = []
        self.window = tk.Toplevel(parent)
        self.window.withdraw()
        self.window.title(title)
        self.window.resizable(False, False)
        self._build(title, message, choices, entry, options, icon, tone, width)
        self.window.bind("<Escape>", lambda _: self.choose(self._cancel))
        self.window.bind("<Return>", self._returned)
        self.window.bind("<KP_Enter>", self._returned)
        self.window.bind("<Button>", self._pressed)
        self.window.protocol("WM_DELETE_WINDOW", lambda: self.choose(self._cancel))

    def ask(self) -> Answer:
        """Show it, wait, and return the answer. Tk's loop runs meanwhile."""
        window, focused = self.window, self._focused()
        self._centre()
        if self._parent.winfo_toplevel().winfo_viewable():
            window.transient(self._parent.winfo_toplevel())
        window.deiconify()
        # Tk's loop runs in there, and the answer may be given before the window is visible.
        with suppress(tk.TclError):
            window.wait_visibility()
        if window.winfo_exists():
            self._take_over()
            window.wait_window()
        if focused is not None and focused.winfo_exists():
            focused.focus_set()
        return self._answer

    def _take_over(self) -> None:
        """Grab all clicks and keys for this window."""
        # Until everything is mapped, Tk would defer focusing anything in it.
        self.window.update_idletasks()
        self.window.grab_set()
        if self.field is not None:
            self.field.focus_set()
            self.field.select_all()
        else:
            self._first().focus_set()

    def close(self) -> None:
        """Close it as if it were cancelled, if it is open still."""
        if self.window.winfo_exists():
            self.choose(self._cancel)

    def choose(self, choice: str) -> None:
        """Answer with that choice and close."""
        text = self.field.value if self.field is not None else ""
        self._answer = Answer(choice, text, tuple(row.value for row in self.options))
        self.window.grab_release()
        self.window.destroy()

    def _build(
        self,
        title: str,
        message: str,
        choices: Sequence[Choice],
        entry: Entry | None,
        options: Sequence[Options],
        icon: IconName | None,
        tone: Tone,
        width: int,
    ) -> None:
        theme = self._theme
        pad = theme.px(24)
        body = Panel(self.window, theme, "window")
        body.pack(fill="both", expand=True)
        inside = Panel(body, theme)
        inside.pack(fill="both", expand=True, padx=pad, pady=(theme.px(20), pad))
        tk.Frame(inside, width=theme.px(width), height=0).pack()
        Label(inside, theme, title, font="title", icon=icon, tone=tone, wrap=width).pack(anchor="w")
        Label(inside, theme, message, tone="muted", wrap=width).pack(
            anchor="w", pady=(theme.px(8), 0)
        )
        if entry is not None:
            if entry.label:
                Label(inside, theme, entry.label, font="label_bold").pack(
                    anchor="w", pady=(theme.px(16), theme.px(6))
                )
            self.field = Field(
                inside,
                theme,
                value=entry.value,
                placeholder=entry.placeholder,
                secret=entry.secret,
                limit=entry.limit,
                height=38,
            )
            self.field.pack(fill="x", pady=(0 if entry.label else theme.px(16), 0))
        # The labels beside and not above: a dialog must fit a low screen with large letters.
        form = Panel(inside, theme)
        form.pack(anchor="w", pady=(theme.px(6 if options else 0), 0))
        for place, each in enumerate(options):
            above = theme.px(10)
            label = Label(form, theme, each.label, font="label_bold")
            label.grid(row=place, column=0, sticky="w", padx=(0, theme.px(12)), pady=(above, 0))
            choosing = OptionRow(form, theme, each)
            if self._default != self._cancel:
                self._return_goes_on(choosing)
            choosing.grid(row=place, column=1, sticky="w", pady=(above, 0))
            self.options.append(choosing)
        self._build_more(inside, width)
        row = Panel(inside, theme)
        row.pack(anchor="e", pady=(theme.px(24), 0))
        for choice in choices:
            button = Button(
                row, theme, choice.label, partial(self.choose, choice.id), variant=choice.variant
            )
            button.pack(side="left", padx=(theme.px(8) if self.buttons else 0, 0))
            self.buttons[choice.id] = button

    def _return_goes_on(self, choosing: OptionRow) -> None:
        """Have Return there mean the dialog, as in a field: the arrow keys have chosen already."""
        for button in choosing.buttons.values():
            for key in ("<Return>", "<KP_Enter>"):
                button.bind(key, self._confirmed)

    def _confirmed(self, _: object) -> str:
        self.choose(self._default)
        return "break"  # its window is gone

    def _first(self) -> tk.Misc:
        """What has the keyboard at first where there is no field."""
        return self.buttons[self._default]

    def _build_more(self, inside: Panel, width: int) -> None:
        """Put more above the buttons, in a subclass; `width` is px at 96 dpi."""

    def _pressed(self, event: tk.Event[tk.Misc]) -> None:
        """Take the keyboard back when somebody presses elsewhere in the program.

        Window managers give it to the window there, which does nothing while this one has the grab;
        the press itself is reported to this one.
        """
        inside = (
            0 <= event.x < self.window.winfo_width() and 0 <= event.y < self.window.winfo_height()
        )
        if event.widget is self.window and not inside:
            self.window.lift()
            (self.window.focus_lastfor() or self.window).focus_force()

    def _returned(self, event: tk.Event[tk.Misc]) -> None:
        if not isinstance(event.widget, Button):
            self.choose(self._default)

    def _focused(self) -> tk.Misc | None:
        try:
            return self._parent.focus_get()
        except KeyError:  # a Tcl-side window, such as an open menu
            return None

    def _centre(self) -> None:
        self.window.update_idletasks()
        over = self._parent.winfo_toplevel()
        width, height = self.window.winfo_reqwidth(), self.window.winfo_reqheight()
        screen = self.window.winfo_screenwidth(), self.window.winfo_screenheight()
        if over.winfo_viewable():
            x = over.winfo_rootx() + (over.winfo_width() - width) // 2
            y = over.winfo_rooty() + (over.winfo_height() - height) // 3
        else:
            x, y = (screen[0] - width) // 2, (screen[1] - height) // 3
        x = max(0, min(x, screen[0] - width))
        y = max(0, min(y, screen[1] - height))
        self.window.geometry(f"+{x}+{y}")
