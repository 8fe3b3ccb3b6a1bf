"""The join screen: the invite, and the name to join with."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from chat_client.accounts import former_of
from chat_client.options import Name, name_of
from chat_client.state.account import Account, server_key
from chat_client.window.clipboard import Clipboard
from common.domain.display_names import clean_display_name
from common.domain.invite import Invite, InviteError
from common.domain.names import NameRefusedError, fold_username
from common.domain.pasted_invite import find_invite
from common.ui.lists.row_list import ListRow, RowList, Section
from common.ui.look.fonts import Role
from common.ui.look.theme import Theme
from common.ui.widgets.basics import Label, Panel, Picture
from common.ui.widgets.buttons import Button
from common.ui.widgets.fields import Field
from common.ui.widgets.gauges import Spinner
from common.ui.widgets.safe_text import safe
from common.ui.widgets.scrolling import ScrollPane

_LEFT: Final = 300
_RIGHT: Final = 380
_MARGIN: Final = 20
"""Least space left and right of the column, px at 96 dpi."""
_SPARE_ABOVE: Final = 0.44
"""The part of the spare height that is above the column: the middle looks too low."""
_BUTTON: Final = 44
_BUTTON_GAP: Final = 16
_HINT_GAP: Final = 18
_LONGEST_LINK: Final = 8192
"""Maximum length of the link's field in characters: a link and the mail around it."""
_CLIPBOARD_WAIT: Final = 60
"""Milliseconds after the screen is shown in which it is drawn; then the clipboard is read."""


@dataclass(frozen=True, slots=True)
class Prefill:
    """The initial values of the screen."""

    invite: Invite | None = None
    name: str = ""
    username: str = ""
    problem: str = ""
    field: str = ""
    link: str = ""
    """What stands in the link's field without an `invite`, such as a damaged link."""


class JoinScreen(Panel):
    """`on_join(invite, name)` when asked to join; `on_account(account)` for a known chat.

    `on_cancel()` while it is being tried.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        accounts: Sequence[Account],
        here: Invite | None,
        prefill: Prefill,
        *,
        on_join: Callable[[Invite, Name], object],
        on_account: Callable[[Account], object],
        on_cancel: Callable[[], object],
    ) -> None:
        super().__init__(parent, theme, "window")
        self._theme = theme
        self._on_join, self._on_account, self._on_cancel = on_join, on_account, on_cancel
        self._accounts = {account.key: account for account in accounts}
        self._here = here
        self._invite: Invite | None = None
        self._former: Account | None = None
        """The account that may be one of the chat that the link leads to, which is another now."""
        self._offered_name = prefill.name
        self._notes: list[tuple[Label, Label]] = []
        """The title of each field, and what is said beside it where there is room."""
        self._joining = False
        self._said = ""
        """What is said while it is being tried to join."""
        self._problem_said = "", ""
        """What is wrong, and with which field."""
        self._proposed = ""
        """The username that was made of the name, and goes with it until the person types one."""
        self._copied: Invite | None = None
        self._build_left()
        self._build_right()
        self._fill(prefill)
        self.clipboard = Clipboard(self, self._found_on_clipboard)
        self.clipboard.ask(_CLIPBOARD_WAIT)

    # Building

    def _build_left(self) -> None:
        theme = self._theme
        left = Panel(self, theme, "sidebar")
        left.configure(width=theme.px(_LEFT))
        left.pack_propagate(False)
        self.bind("<Configure>", lambda event: self._share(left, event), add="+")
        self._heading = Label(left, theme, "Join a chat", font="hero_title", justify="left")
        self._heading.pack(anchor="w", padx=theme.px(24), pady=(theme.px(26), theme.px(10)))
        self.chats = RowList(
            left, theme, surface="sidebar", on_click=self._chosen, on_open=self._chosen
        )
        self.chats.pack(fill="both", expand=True)
        sections = self._sections()
        if sections:
            left.pack(side="left", fill="y")
            self.chats.set_sections(sections)

    def _share(self, left: Panel, event: tk.Event[tk.Misc]) -> None:
        """The left side gives way in a narrow window."""
        if event.widget is self:
            width = min(self._theme.px(_LEFT), event.width * 2 // 5)
            left.configure(width=width)
            self._heading.configure(wraplength=max(1, width - 2 * self._theme.px(24)))

    def _sections(self) -> list[Section]:
        sections = []
        if self._here is not None:
            name = safe(self._here.server_name)
            row = ListRow("here", name, badge=name, detail="Runs here", mark="chevron-right")
            sections.append(Section("On this computer", (row,)))
        rows = tuple(
            ListRow(
                account.key,
                safe(account.invite.server_name),
                badge=safe(account.invite.server_name),
                detail=f"as {safe(account.display_name)}",
                mark="chevron-right",
            )
            for account in self._accounts.values()
        )
        if rows:
            sections.append(Section("Your chats", rows))
        return sections

    def _build_right(self) -> None:
        theme, px = self._theme, self._theme.px
        right = self._pane = ScrollPane(self, theme, self._arrange)
        right.pack(side="left", fill="both", expand=True)
        column = self._column = Panel(right.inside, theme, "window")
        view = right.canvas
        column.bind("<Configure>", lambda _: self._arrange(view.winfo_width(), view.winfo_height()))
        self._build_head(column)
        self.link = self._field(
            column, "Invite link", "From the host", icon="link", limit=_LONGEST_LINK
        )
        self.offer = Button(column, theme, command=self._take_copied, variant="link", icon="copy")
        self.name = self._field(column, "Your name", "Others see this", on_change=self._name_typed)
        self.username = self._field(
            column, "Your username", "a–z, 0–9 and . _ -", height=36, font="body", limit=64
        )
        self.problem = Label(column, theme, tone="danger", wrap=_RIGHT)
        self.button = Button(
            column, theme, "Join", self.join, variant="primary", height=_BUTTON, font="field_bold"
        )
        self.button.pack(fill="x", pady=(px(_BUTTON_GAP), 0))
        self._build_progress(column)
        self._hint = Label(
            column, theme, _HINT, font="label", tone="muted", justify="center", wrap=_RIGHT
        )
        right.adopt()

    def _build_head(self, column: Panel) -> None:
        theme, px = self._theme, self._theme.px
        head = Panel(column, theme, "window")
        head.pack(fill="x")
        self._badge = Picture(head, theme, self._no_badge)
        self._badge.pack(side="left", padx=(0, px(16)))
        titles = Panel(head, theme, "window")
        titles.pack(side="left", fill="x", expand=True)
        self._server = Label(titles, theme, font="heading")
        self._server.pack(anchor="w")
        self._where = Label(titles, theme, tone="muted")
        self._where.pack(anchor="w")

    def _build_progress(self, column: Panel) -> None:
        theme = self._theme
        self._progress = Panel(column, theme, "window")
        self._spinner = Spinner(self._progress, theme)
        self._spinner.pack(side="left", padx=(0, theme.px(8)))
        self.cancel = Button(self._progress, theme, "Cancel", self._on_cancel, height=_BUTTON)
        self.cancel.pack(side="right")
        self._progress_text = Label(self._progress, theme, "Joining…", tone="muted")
        self._progress_text.pack(side="left")

    def _field(
        self,
        parent: tk.Misc,
        title: str,
        note: str,
        *,
        icon: str | None = None,
        height: int = 42,
        font: Role = "field",
        limit: int = 0,
        on_change: Callable[[str], object] | None = None,
    ) -> Field:
        theme, px = self._theme, self._theme.px
        line = Panel(parent, theme, "window")
        line.pack(fill="x", pady=(px(16), px(5)))
        called = Label(line, theme, title, font="row_bold")
        called.pack(side="left")
        noted = Label(line, theme, note, font="label", tone="muted")
        noted.pack(side="right")
        self._notes.append((called, noted))

        def changed(text: str) -> None:
            if on_change is not None:
                on_change(text)
            self._changed()

        field = Field(
            parent,
            theme,
            icon="link" if icon else None,
            height=height,
            font=font,
            limit=limit,
            on_change=changed,
            on_submit=lambda *_: self.join(),
        )
        field.pack(fill="x")
        return field

    def _fill(self, prefill: Prefill) -> None:
        self.name.value = prefill.name
        if prefill.username:
            self.username.value = prefill.username
        # The link last: it may lead to a chat in which one has a name already.
        if prefill.invite is not None:
            self.link.value = prefill.invite.link()
        elif prefill.link:
            self.link.value = prefill.link
        self._look()
        self.refuse(prefill.problem, prefill.field)
        if prefill.problem and prefill.field:
            return  # the keyboard is at what is wrong
        empty = next((field for field in (self.link, self.name) if not field.value), None)
        (empty or self.name).focus_set()

    def made_anew(self) -> JoinScreen:
        """The same for another size of text: with what is typed, and with what is going on."""
        screen = JoinScreen(
            self.master,
            self._theme,
            list(self._accounts.values()),
            self._here,
            Prefill(),
            on_join=self._on_join,
            on_account=self._on_account,
            on_cancel=self._on_cancel,
        )
        screen._take_over(self)
        return screen

    def _take_over(self, former: JoinScreen) -> None:
        pairs = list(zip(self._fields, former._fields, strict=True))
        # Before the fields: what is typed there would be taken for what somebody wants instead.
        self._offered_name, self._copied = former._offered_name, former._copied
        for field, other in pairs:
            field.take_over(other)
        self._proposed = former._proposed
        self._look()
        if former._joining:
            self.joining(former._said, former._problem_said[0])
        else:
            self.refuse(*former._problem_said)
        focus = former.focus_displayof()
        if focus is not None and focus.winfo_toplevel() is not self.winfo_toplevel():
            return
        for field, other in pairs:
            if other.entry is focus:
                field.focus_set()

    # What the person does

    def join(self) -> None:
        """Join, or show what is missing."""
        if self._joining:
            return
        try:
            invite = find_invite(self.link.value)
        except InviteError as error:
            self.refuse(_sentence(str(error)), "invite")
            return
        display_name = " ".join(self.name.value.split())
        if not display_name:
            self.refuse("Enter the name that others will see.", "display_name")
            return
        former = self._former
        if former is not None and self.username.value == former.username:
            # Whatever is asked of new names: this one was given already.
            self.refuse("", "")
            self._on_join(invite, Name(former.username, former.display_name))
            return
        try:
            display_name = clean_display_name(display_name)
        except NameRefusedError as error:
            self.refuse(_sentence(str(error)), "display_name")
            return
        try:
            username = fold_username(self.username.value.strip().removeprefix("@"))
        except NameRefusedError as error:
            self.refuse(_sentence(str(error)), "username")
            return
        self.refuse("", "")
        self._on_join(invite, Name(username, display_name))

    def joining(self, text: str = "Joining…", tried: str = "") -> None:
        """Show that it is connecting, and below the link the outcome of former attempts."""
        self._joining, self._said = True, text
        self.button.enabled = False
        self._progress_text.set(text)
        if self.button.winfo_manager():
            self._progress.pack(fill="x", pady=(self._theme.px(_BUTTON_GAP), 0), after=self.button)
            self.button.pack_forget()
        self._spinner.start()
        self._show_problem(tried, "invite")
        self._offer()

    def refuse(self, problem: str, field: str, suggestion: str = "") -> None:
        """Say why it can't be, beside what to change; `suggestion` is a username to take instead.

        `field` is "invite", "display_name" or "username"; anything else counts as the invite.
        """
        self._joining = False
        self.button.enabled = True
        if not self.button.winfo_manager():
            self.button.pack(fill="x", pady=(self._theme.px(_BUTTON_GAP), 0), after=self._progress)
            self._progress.pack_forget()
        self._spinner.stop()
        if suggestion:
            self.username.value = suggestion
        self._show_problem(problem, field)
        at = self._at(field)
        for known in (self.username, self.name, self.link):
            known.set_error(known is at and bool(problem))
        if problem:
            at.focus_set()
            if suggestion:
                at.select_all()

    @property
    def _fields(self) -> tuple[Field, Field, Field]:
        return self.link, self.name, self.username

    def _at(self, field: str) -> Field:
        return {"username": self.username, "display_name": self.name}.get(field, self.link)

    def _show_problem(self, problem: str, field: str) -> None:
        """Below the field that it is about."""
        self._problem_said = problem, field
        if problem:
            self.problem.set(problem)
            # Several lines, one for each address, must leave room for everything else.
            self.problem.configure(font=self._theme.fonts["label" if "\n" in problem else "body"])
            self.problem.pack(
                anchor="w", fill="x", pady=(self._theme.px(6), 0), after=self._at(field)
            )
        else:
            self.problem.pack_forget()

    def _chosen(self, key: str | None) -> None:
        if key == "here" and self._here is not None:
            self._take(self._here)
        elif key in self._accounts:
            self._on_account(self._accounts[key])

    def _take(self, invite: Invite) -> None:
        self.link.value = invite.link()
        self._look()
        self.name.focus_set()
        self.name.select_all()

    def _changed(self) -> None:
        if self._joining:
            # What is being tried is not what stands there any more.
            self._on_cancel()
        if self.problem.winfo_manager():
            self.refuse("", "")
        self._look()

    def _name_typed(self, name: str) -> None:
        """Propose the username that goes with a name, unless the person has chosen one."""
        if self.username.value == self._proposed:
            known = name_of(name)
            self._proposed = known.username if known is not None else ""
            self.username.value = self._proposed

    # The clipboard

    def _found_on_clipboard(self, text: str) -> None:
        """Offer a chat whose link was copied; nothing is joined, or typed over, unasked."""
        try:
            invite = find_invite(text)
        except InviteError:
            invite = None
        if invite is not None and any(
            server_key(account.invite) == server_key(invite) for account in self._accounts.values()
        ):
            invite = None  # it stands in the list
        self._copied = invite
        self._offer()

    def _offer(self) -> None:
        """Show the offer as long as it would change something."""
        invite = self._copied
        if invite is None or invite == self._invite or self._joining:
            self.offer.pack_forget()
            return
        name = self._theme.fonts.fit("body", safe(invite.server_name), self._theme.px(170))
        self.offer.set(f"Use the link to “{name}” you copied")
        self.offer.pack(anchor="w", pady=(self._theme.px(4), 0), after=self.link)

    def _take_copied(self) -> None:
        if self._copied is not None:
            self._take(self._copied)

    # What is shown

    def _look(self) -> None:
        """Show which chat the link leads to as soon as it can be read."""
        try:
            invite = find_invite(self.link.value)
        except InviteError:
            self._invite = self._former = None
            self._badge.set(self._no_badge)
            self._server.set("Join with an invite")
            self._where.set("Paste the link that the host sent you")
            self._offer()
            self._arrange(self._pane.canvas.winfo_width(), self._pane.canvas.winfo_height())
            return
        if invite == self._invite:
            return
        self._invite = invite
        name = safe(invite.server_name)
        self._badge.set(lambda: self._theme.badge(name, 48))
        self._server.set(name)
        self._where.set(f"at {safe(invite.hosts[0])}, port {invite.port}")
        self._offer()
        self._offer_former(invite)
        self._arrange(self._pane.canvas.winfo_width(), self._pane.canvas.winfo_height())

    def _offer_former(self, invite: Invite) -> None:
        """Propose the name that one has in the chat already, if it only has a new identity."""
        former = self._former = former_of(self._accounts.values(), invite, None)
        if former is not None and self.name.value in {"", self._offered_name}:
            self._where.set(f"It seems you are @{former.username} there")
            self._offered_name = self.name.value = safe(former.display_name)
            self._proposed = self.username.value = former.username

    def _no_badge(self) -> tk.PhotoImage:
        """What stands for a chat that is not known yet."""
        return self._theme.icon("chat", self._theme.palette.accent, 48)

    def _arrange(self, width: int, height: int) -> None:
        """The column in the middle, as wide as there is room, and whole."""
        px = self._theme.px
        width = max(1, min(px(_RIGHT), width - px(2 * _MARGIN)))
        for text in (self.problem, self._hint):
            text.configure(wraplength=width)
        for title, note in self._notes:
            if title.winfo_reqwidth() + note.winfo_reqwidth() > width:
                note.pack_forget()
            else:
                note.pack(side="right")
        self._server.configure(wraplength=width - px(64))
        self._where.configure(wraplength=width - px(64))
        self._progress_text.configure(wraplength=max(1, width - px(100)))
        needed = self._column.winfo_reqheight()
        hint = self._hint.winfo_reqheight() + px(_HINT_GAP)
        if self._hint.winfo_manager():
            needed -= hint
        # For somebody who has no link yet; and never at the cost of what somebody with one needs.
        if self._accounts or self._invite is not None or needed + hint > height:
            self._hint.pack_forget()
        else:
            needed += hint
            if not self._hint.winfo_manager():
                self._hint.pack(pady=(px(_HINT_GAP), 0))
        self._pane.put(self._column, _SPARE_ABOVE, px(6), width)


_HINT: Final = (
    "No link yet? Whoever started ChatServer on your network presses “Copy link” and sends it to "
    "you. Or start ChatServer on this computer, and be the host yourself."
)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
