"""The composer: Enter sends the message, Shift+Enter starts a new line."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from common.domain.text import normalize_text
from common.limits import TEXT_BYTES
from common.ui.look.cards import Card
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel
from common.ui.widgets.buttons import Button
from common.ui.widgets.editing import Editing, clean_lines
from common.ui.widgets.richtext import RichText
from common.ui.widgets.textbox import TextBox
from common.ui.widgets.tooltip import Tooltip

_MOST_LINES: Final = 8
_MOST_PICTURES: Final = 400
"""Maximum number of drawn emoji: each slows down every keystroke (`RichText`)."""
_HINT_GAP: Final = 4
"""px at 96 dpi from the cursor to the hint of an empty composer."""


class Composer(Panel):
    """Grows with its text up to eight lines. `on_send` gets a text that is not blank.

    It returns what is wrong with it, or None when it is on its way. What is typed or pasted beyond
    what one message can hold is refused with a reason beside it, and nothing is cut; what the
    program puts in may be longer, and can be shortened.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, on_send: Callable[[str], str | None]) -> None:
        super().__init__(parent, theme, "window")
        self._theme = theme
        self._on_send = on_send
        self._problem = Label(self, theme, font="label", tone="danger")
        card = Card(self, theme, surface="field", radius=12, padding=(12, 5), field=True)
        card.pack(fill="x")
        # Made in the order of the Tab key, packed in the order of who gets the room first.
        self.text = tk.Text(card, height=1, width=1, wrap="word", undo=False)
        self.send_button = Button(
            card, theme, "", self.submit, variant="link", icon="send", icon_size=18, height=30
        )
        self.send_button.pack(side="right", anchor="s")
        self.text.configure(font=theme.fonts["row"], pady=theme.px(5), padx=theme.px(2))
        # As wide as in the message list.
        self.text.configure(tabs=4 * theme.fonts.width("row", "0"), tabstyle="wordprocessor")
        self.text.pack(side="left", fill="both", expand=True)
        self._rich = RichText(self.text, theme, most_pictures=_MOST_PICTURES)
        self._box = TextBox(self.text, self._rich, self._refuse)
        self.editing = Editing(self._box, theme)
        self.take_key: Callable[[], bool] = lambda: False
        """Asked first when Return or Tab is pressed; True when the key was for something else."""
        self._hint_text = ""
        self._why = ""
        self._problem_said = ""
        self._given_back = False
        """Whether the reason is shown why a text stands here again."""
        self._hint = Label(self.text, theme, font="row", tone="muted")
        self.editing.listen_around(self._hint, card)
        for sequence in ("<Return>", "<KP_Enter>"):
            self.text.bind(sequence, self._entered)
        for sequence in ("<Shift-Return>", "<Shift-KP_Enter>"):
            self.text.bind(sequence, self._new_line)
        # A tab is for moving on, as everywhere else in the window; Text would keep both.
        self.text.bind("<Tab>", self._tab)
        self.text.bind("<Shift-Tab>", lambda _: self._leave(self.text.tk_focusPrev()))
        self.text.bind("<<Modified>>", self._modified)
        self.text.bind("<Configure>", lambda _: self._resized())
        theme.subscribe(self.text, self._paint_text)
        self._closed = Label(self, theme, font="label", tone="warning", icon="ban", justify="left")
        """Why nothing can be written, where that is so; in two lines at most."""
        self._why_closed = Tooltip(self._closed, theme, "")
        self._note = Label(self, theme, font="label", tone="muted", icon="clock", justify="left")
        self._show_hint()

    @property
    def closed(self) -> bool:
        """Whether nothing can be written."""
        return str(self.text.cget("state")) == "disabled"

    @property
    def why_closed(self) -> str:
        """Why nothing can be written; "" where it can."""
        return self._why

    def close(self, why: str) -> None:
        """Disable the composer with a reason; "" enables it again. The draft stays."""
        self._why = why
        self._fit_why()
        self._closed.set_icon("ban")  # with a gap, now that there are words
        if why:
            self._closed.pack(side="bottom", anchor="w", pady=(self._theme.px(4), 0))
        else:
            self._closed.pack_forget()
        self.text.configure(state="disabled" if why else "normal")
        self._box.writable = not why  # else undo and paste would take it for done
        self.send_button.enabled = not why
        self._show_hint()
        self._fit()

    def note(self, text: str) -> None:
        """Show a line below, such as that the room is in slow mode; "" hides it."""
        if text == self.noted:
            return
        self._note.set(text)
        self._note.set_icon("clock")  # with a gap, now that there are words
        if text:
            self._note.pack(side="bottom", anchor="w", pady=(self._theme.px(4), 0))
        else:
            self._note.pack_forget()

    @property
    def noted(self) -> str:
        """The line of `note` that is shown."""
        return str(self._note.cget("text")) if self._note.winfo_manager() else ""

    @property
    def draft(self) -> str:
        """The text that was not sent."""
        return self._rich.get("1.0", "end-1c")

    @property
    def cursor(self) -> int:
        """The offset of the cursor in the draft."""
        return self._box.cursor()

    def set_draft(self, text: str) -> None:
        """Put a text in to be edited; the cursor goes to its end, and undo begins there."""
        state = self.text.cget("state")
        self.text.configure(state="normal")  # else Tk would put nothing in
        self.text.delete("1.0", "end")
        self._rich.insert("insert", clean_lines(text))
        self.text.mark_set("insert", "end-1c")
        self.text.see("insert")
        self.editing.reset()
        self.text.configure(state=state)
        self._say("")

    def take_over(self, former: Composer) -> None:
        """Show what another one shows, with its cursor, its selection and its steps to undo."""
        self.set_draft(former.draft)
        self.editing.take_over(former.editing)
        self.text.edit_modified(False)  # this was no change of the person's
        self._show_hint()
        self._say(former._problem_said)
        self._given_back = former._given_back

    def give_back(self, text: str, problem: str) -> None:
        """Put a text in that could not be sent after all, with the reason beside it."""
        self.set_draft(text)
        # What the person changes takes the reason away; this was no change of theirs.
        self.text.edit_modified(False)
        self._show_hint()
        self._fit()
        self._say(problem)
        self._given_back = True

    def renew_reason(self, problem: str) -> None:
        """Say another reason beside a text that was given back and was not changed since."""
        if self._given_back:
            self._say(problem)
            self._given_back = True

    def set_hint(self, hint: str) -> None:
        """What to say while nothing is written, such as where it would go."""
        self._hint_text = hint
        self._show_hint()

    def submit(self) -> None:
        """Send the text; it stays if it is invalid."""
        text = normalize_text(clean_lines(self.draft))
        if not text or self.closed:
            return
        problem = self._on_send(text)
        if problem is None:
            self.set_draft("")
        self._say(problem or "")
        self.text.focus_set()

    def _say(self, problem: str) -> None:
        self._given_back = False
        self._problem_said = problem
        self._problem.set(problem)
        if problem:
            self._problem.pack(side="bottom", anchor="w", pady=(self._theme.px(4), 0))
        else:
            self._problem.pack_forget()

    def _entered(self, _: object) -> str:
        if not self.take_key():
            self.submit()
        return "break"

    def _new_line(self, _: object) -> str:
        self.editing.insert("\n")
        return "break"

    def _tab(self, _: object) -> str:
        return "break" if self.take_key() else self._leave(self.text.tk_focusNext())

    def _leave(self, to: tk.Misc | None) -> str:
        if to is not None:
            # As Tab does elsewhere: it says that the keyboard was used.
            self.text.tk.call("tk::TabToWindow", to)
        return "break"

    def _refuse(self, text: str, added: str) -> bool:
        """Show why a text can't get longer; shortening is always allowed."""
        size = _size(text)
        if size <= TEXT_BYTES or size <= _size(self.draft):
            return False
        if len(added) == 1:
            self._say("This message is as long as one can be. Send it, or make it shorter.")
        else:
            self._say(
                f"Not pasted: a message has at most {TEXT_BYTES:,} bytes, and this would be "
                f"{size:,}. Send it in parts."
            )
        return True

    def _modified(self, _: object) -> None:
        if self.text.edit_modified():
            self._rich.replace_typed("1.0", "end-1c")
            self.text.edit_modified(False)
            self.editing.changed()
            self._say("")
            self._show_hint()
            self._fit()

    def _show_hint(self) -> None:
        if self.text.compare("end-1c", ">", "1.0"):
            self._hint.place_forget()
        else:
            room = self.text.winfo_width() - self._theme.px(8)
            hint = "You can’t write now" if self.closed else self._hint_text
            self._hint.set(self._theme.fonts.fit("row", hint, room))
            # Behind the cursor, which would be covered by it where the first letter will be.
            self._hint.place(x=self._theme.px(_HINT_GAP), rely=0.5, anchor="w")

    def _resized(self) -> None:
        self._problem.configure(wraplength=self.winfo_width())
        self._note.configure(wraplength=max(1, self.winfo_width() - self._theme.px(24)))
        self._fit_why()
        self._show_hint()
        self._fit()

    def _fit_why(self) -> None:
        """Why nothing can be written, as much of it as there is room for, and in whole on top."""
        width = max(1, self.winfo_width() - self._theme.px(24))
        # A line ends before the word that does not fit: so a little less than two.
        text = self._theme.fonts.fit("label", self._why, width * 9 // 5)
        self._closed.configure(wraplength=width)
        self._closed.set(text)
        self._why_closed.text = self._why if text != self._why else ""

    def _fit(self) -> None:
        """As many display lines as there are, within bounds."""
        lines = self.text.tk.call(str(self.text), "count", "-update", "-displaylines", "1.0", "end")
        # In a low window the conversation must not go for it.
        room = self.winfo_toplevel().winfo_height() * 3 // 10
        most = max(2, min(_MOST_LINES, room // self._theme.fonts.line("row")))
        if self.closed:
            most = 2  # the reason below needs the room
        height = max(1, min(most, int(lines or 1)))
        if height != int(self.text.cget("height")):
            self.text.configure(height=height)

    def _paint_text(self) -> None:
        palette = self._theme.palette
        self.text.configure(
            background=palette.field,
            foreground=palette.text,
            insertbackground=palette.text,
            selectbackground=palette.marked,
            inactiveselectbackground=palette.marked,
            selectforeground=palette.on_marked,
        )
        self._rich.repaint()


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
