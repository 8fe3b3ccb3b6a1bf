"""The strip above every page while somebody asks to join: who, the digits, and the answer."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from chat_server.window.actions import Actions
from chat_server.window.model import JoiningView, RequestRow
from common.ui.look.icons import IconName
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Hairline, Label, Panel, Picture
from common.ui.widgets.buttons import Button, Variant
from common.ui.widgets.tooltip import Tooltip

GUARD: Final = 800
"""Milliseconds for which nothing can be answered, after an answer and when another request than
the one before comes up."""
_BLOCK: Final = "Block…"
_GUTTER: Final = 24
_AVATAR: Final = 40
_MARK: Final = 4
"""Width of the coloured edge, px at 96 dpi."""
_SPACE: Final = 6
"""Between name and username, px at 96 dpi."""
_ICON: Final = 28
"""Room beside a text for its icon, px at 96 dpi."""
_LEAST_NAME: Final = 150
"""Width, px at 96 dpi, that a name needs at least for everything to be in one line."""


class _Answer(Button):
    """A button of the strip; `pressed()` is called at each press, also while it is disabled."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        pressed: Callable[[], object],
        text: str,
        command: Callable[[], object],
        *,
        variant: Variant = "secondary",
        icon: IconName | None = None,
    ) -> None:
        super().__init__(parent, theme, text, command, variant=variant, icon=icon)
        self._on_press = pressed
        self.bind("<space>", lambda _: self._on_press())

    def _pressed(self, event: tk.Event[tk.Misc]) -> str:
        self._on_press()
        return super()._pressed(event)

    def _press(self, event: tk.Event[tk.Misc]) -> str:
        self._on_press()
        return super()._press(event)


class RequestStrip(Panel):
    """Shows one of the requests, the oldest first, and how many there are.

    It is packed by its owner, and asks for no room while nobody asks. When the request that it
    shows makes way for another one, the buttons rest for `GUARD`: a click that was meant for one
    person must not let in the next. Presses meanwhile, as of a key that is held, make that longer.
    """

    def __init__(self, parent: tk.Misc, theme: Theme, actions: Actions) -> None:
        super().__init__(parent, theme, "card")
        self._theme, self._actions = theme, actions
        self._requests: tuple[RequestRow, ...] = ()
        self._shown: RequestRow | None = None
        self._timer: str | None = None
        self._folded: bool | None = None
        """Whether the answers are in a second line; None before that is known of this request."""
        self._stale = True
        """Whether the parts have to be packed anew."""
        self._line = Hairline(self, theme)
        self._line.pack(side="bottom", fill="x")
        self._mark = tk.Frame(self, borderwidth=0, highlightthickness=0, width=theme.px(_MARK))
        theme.subscribe(self._mark, self._paint_mark)
        self._mark.pack(side="left", fill="y")
        self.alike = Label(self, theme, font="body_bold", tone="warning", icon="warning")
        self._first, self._second = Panel(self, theme), Panel(self, theme)
        self._first.pack(
            fill="x", padx=(theme.px(_GUTTER - _MARK), theme.px(_GUTTER)), pady=theme.px(10)
        )
        self._build_person()
        self._build_digits()
        self._build_answers()
        self.bind("<Configure>", lambda event: self._arrange(event.width), add="+")
        self.bind("<Destroy>", lambda _: self._stop(), add="+")

    @property
    def shown(self) -> RequestRow | None:
        """The request that is shown; None while nobody asks."""
        return self._shown

    def show(self, view: JoiningView) -> None:
        """Show the requests of this moment."""
        if view.requests == self._requests:
            return
        self._requests = view.requests
        if not view.requests:
            self._shown = None
            self._stop()
            return
        self._put(self._same_as(self._shown) or view.requests[0])

    def take_over(self, former: RequestStrip) -> None:
        """Show the same request as a strip that this one replaces."""
        same = self._same_as(former.shown)
        if same is not None:
            self._put(same, rest=False)

    def _same_as(self, request: RequestRow | None) -> RequestRow | None:
        """A request as it is now; None if it is none any more."""
        number = None if request is None else request.number
        return next((each for each in self._requests if each.number == number), None)

    def _put(self, request: RequestRow, *, rest: bool = True) -> None:
        """Show a request; `rest` has the buttons wait if it is another one than before."""
        other = self._shown is None or self._shown.number != request.number
        self._shown = request
        self._theme.colours.meet([request.username])
        theme = self._theme
        if other:
            self._avatar.set(lambda: theme.avatar(request.name, request.username, _AVATAR))
        self.digits.set(" ".join(request.digits))
        self._warn(request.alike)
        at = [each.number for each in self._requests].index(request.number)
        several = len(self._requests) > 1
        self.count.set(f"{at + 1} of {len(self._requests)}" if several else "")
        for button, end in ((self.former, 0), (self.following, len(self._requests) - 1)):
            button.enabled = at != end
        if other and rest:
            self._rest()
        self._stale = True  # there may be a queue, or none any more
        if other:
            self._folded = None
        self._arrange(self.winfo_width())

    def _warn(self, alike: str) -> None:
        """Say that somebody else has this name: it is shown whole, in lines of its own."""
        self.alike.set(alike)
        self.alike.set_icon("warning")  # whose gap depends on there being a text
        if not alike:
            self.alike.pack_forget()
        elif not self.alike.winfo_manager():
            px = self._theme.px
            self.alike.pack(
                side="bottom", anchor="w", padx=(px(_GUTTER - _MARK), px(_GUTTER)),
                pady=(0, px(10)), before=self._first,
            )  # fmt: skip

    def _step(self, step: int) -> None:
        """Show the request before or after this one; what the host chose to see needs no rest."""
        numbers = [each.number for each in self._requests]
        if self._shown is not None and self._shown.number in numbers:
            at = numbers.index(self._shown.number) + step
            if 0 <= at < len(numbers):
                self._put(self._requests[at], rest=False)

    # Answers

    def _rest(self) -> None:
        self._stop()
        for button in self._answers:
            button.enabled = False
        self._timer = self.after(GUARD, self._rested)

    def _pressed_again(self) -> None:
        """Somebody goes on clicking, or a key is held down: what it was for is answered."""
        if self._timer is not None:
            self._rest()

    def _rested(self) -> None:
        self._timer = None
        for button in self._answers:
            button.enabled = True

    def _stop(self) -> None:
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None

    def _admit(self) -> None:
        if self._shown is not None:
            self._rest()  # a double click is one answer
            self._actions.joining.admit(self._shown)

    def _refuse(self) -> None:
        if self._shown is not None:
            self._rest()
            self._actions.joining.refuse(self._shown)

    def _block(self) -> None:
        if self._shown is not None:
            self._actions.joining.block(self._shown)

    # Widgets

    def _paint_mark(self) -> None:
        self._mark.configure(background=self._theme.palette.primary)

    def _build_person(self) -> None:
        theme = self._theme
        self._avatar = Picture(self._first, theme, lambda: theme.avatar("?", "?", _AVATAR))
        self._avatar.pack(side="left", padx=(0, theme.px(12)))
        self._texts = Panel(self._first, theme)
        self._texts.pack(side="left")
        self._name_line = Panel(self._texts, theme)
        self._name_line.pack(anchor="w")
        self.name = Label(self._name_line, theme, font="row_bold")
        self.name.pack(side="left")
        self.handle = Label(self._name_line, theme, tone="muted")
        self.handle.pack(side="left", padx=(theme.px(_SPACE), 0))
        self.about = Label(self._texts, theme, font="label", tone="muted")
        self.about.pack(anchor="w", pady=(theme.px(2), 0))
        self._whole = Tooltip(self._texts, theme, "")
        self._whole_name = Tooltip(self.name, theme, "")

    def _build_digits(self) -> None:
        theme = self._theme
        self._queue = Panel(self, theme)
        self.former = Button(
            self._queue, theme, "", lambda: self._step(-1), variant="quiet", icon="chevron-up",
            height=24,
        )  # fmt: skip
        self.former.pack(side="left")
        Tooltip(self.former, theme, "Who asked before")
        self.count = Label(self._queue, theme, tone="muted")
        self.count.pack(side="left", padx=theme.px(2))
        self.following = Button(
            self._queue, theme, "", lambda: self._step(1), variant="quiet", icon="chevron-down",
            height=24,
        )  # fmt: skip
        self.following.pack(side="left")
        Tooltip(self.following, theme, "Who asked next")
        self._box = Panel(self, theme)
        self.digits = Label(self._box, theme, font="code")
        self.digits.pack()
        self._compare = Label(
            self._box, theme, "Do they see the same?", font="label", tone="muted", justify="center"
        )
        self._compare.pack()
        Tooltip(
            self._box, theme,
            "Ask the guest for their digits. Others mean that somebody is in between: say No.",
        )  # fmt: skip

    def _build_answers(self) -> None:
        theme = self._theme
        self._buttons = Panel(self, theme)
        again = self._pressed_again
        self.admit = _Answer(self._buttons, theme, again, "Let in", self._admit, variant="primary")
        self.refuse = _Answer(self._buttons, theme, again, "No", self._refuse)
        self.block = _Answer(
            self._buttons, theme, again, _BLOCK, self._block, variant="danger", icon="ban"
        )
        self._block_hint = Tooltip(self.block, theme, "")
        self._answers = (self.admit, self.refuse, self.block)
        for button in self._answers:
            button.pack(side="left", padx=(0 if button is self.admit else theme.px(8), 0))

    # Layout

    def _arrange(self, width: int) -> None:
        """Put everything into one line, or the answers into a second one where it is narrow."""
        px = self._theme.px
        if self._shown is None or width <= 1:
            return
        gutter, pad, apart = px(_GUTTER), px(10), px(16)
        self.alike.configure(wraplength=width - 2 * gutter - px(_ICON))
        box = max(self.digits.winfo_reqwidth(), self._compare.winfo_reqwidth())
        needed = 2 * gutter + px(_AVATAR + 12) + apart + box
        before = self._folded, self.block.cget("text")
        self._show_block(_BLOCK)
        beside = apart + self._queue_width() + self._answers_width()
        folded = width - needed - beside < px(_LEAST_NAME)
        if folded and beside > width - 2 * gutter:
            self._show_block("")
        self._fit(max(px(40), width - needed - (0 if folded else beside)))
        if before[0] is not None and before != (folded, self.block.cget("text")):
            self._rest()  # one answer stands now where another one stood
        if folded == self._folded and not self._stale:
            return
        self._folded, self._stale = folded, False
        for part in (self._queue, self._box, self._buttons):
            part.pack_forget()
        self._second.pack_forget()
        # What is packed first is not cut.
        line = self._second if folded else self._first
        self._buttons.pack(in_=line, side="right", padx=(apart, 0))
        self._box.pack(in_=self._first, side="right", padx=(apart, 0))
        if folded:
            self._second.pack(fill="x", padx=(gutter - px(_MARK), gutter), pady=(0, pad))
        if len(self._requests) > 1:
            self._queue.pack(
                in_=line, side="left" if folded else "right", padx=0 if folded else (apart, 0)
            )

    def _show_block(self, text: str) -> None:
        """Show the words on the button or only its icon, which then are said at a touch."""
        if text != self.block.cget("text"):
            self.block.set(text)
            self._block_hint.text = "" if text else _BLOCK

    # The labels and buttons know at once what they need, the panels around them later.

    def _answers_width(self) -> int:
        apart = self._theme.px(8)
        return sum(each.winfo_reqwidth() + apart for each in self._answers) - apart

    def _queue_width(self) -> int:
        if len(self._requests) < 2:
            return 0
        parts = (self.former, self.count, self.following)
        return sum(each.winfo_reqwidth() for each in parts) + self._theme.px(4 + 16)

    def _fit(self, room: int) -> None:
        """Shorten the texts to `room` screen pixels: what the name needs comes first."""
        request, fonts, px = self._shown, self._theme.fonts, self._theme.px
        if request is None:
            return
        space = px(_SPACE)  # which the label of the username has before it, even when it is empty
        name = fonts.fit("row_bold", request.name, room - space)
        left = room - fonts.width("row_bold", name) - space
        handle = request.handle
        if fonts.width("body", handle) > left:
            handle = ""
        self.name.set(name)
        self.handle.set(handle)
        parts = ("Asks to join", request.handle if not handle else "", request.about)
        whole = " · ".join(part for part in parts if part)
        about = fonts.fit("label", whole, room)
        self.about.set(about)
        self._whole.text = whole if about != whole else ""
        self._whole_name.text = request.name if name != request.name else ""
