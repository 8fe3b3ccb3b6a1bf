"""The first screen: with which invite, and under which name, to join."""

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chat_client.options import Name, name_of
from chat_client.state.account import Account
from common.display_names import clean_display_name
from common.invite import Invite, InviteError
from common.names import NameRefusedError, fold_username
from common.pasted import find_invite
from window.basics import Label, Panel, Picture
from window.buttons import Button
from window.fields import Field
from window.gauges import Spinner
from window.rowlist import ListRow, RowList, Section
from window.text import safe
from window.theme import Theme

_LEFT = 300
_RIGHT = 380


@dataclass(frozen=True, slots=True)
class Prefill:
    """What the screen begins with."""

    invite: Invite | None = None
    name: str = ""
    username: str = ""
    problem: str = ""
    field: str = ""


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
        self._joining = False
        self._build_left()
        self._build_right()
        self._fill(prefill)

    # Building

    def _build_left(self) -> None:
        theme = self._theme
        left = Panel(self, theme, "sidebar")
        left.configure(width=theme.px(_LEFT))
        left.pack_propagate(False)
        left.pack(side="left", fill="y")
        Label(left, theme, "Join a chat", font="hero_title").pack(
            anchor="w", padx=theme.px(24), pady=(theme.px(26), theme.px(10))
        )
        self.chats = RowList(
            left, theme, surface="sidebar", on_click=self._chosen, on_open=self._chosen
        )
        sections = self._sections()
        if sections:
            self.chats.pack(fill="both", expand=True)
            self.chats.set_sections(sections)
        else:
            steps = (
                "Somebody on your network runs ChatServer. Ask them for the invite link: "
                "they press “Copy link” and send it to you.\n\n"
                "Or be the host yourself: start ChatServer on this computer."
            )
            Label(left, theme, steps, tone="muted", wrap=_LEFT - 48).pack(
                anchor="w", padx=theme.px(24), pady=theme.px(6)
            )

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
        right = Panel(self, theme, "window")
        right.pack(side="left", fill="both", expand=True)
        column = self._column = Panel(right, theme, "window")
        column.place(relx=0.5, y=px(54), anchor="n", width=px(_RIGHT))
        right.bind("<Configure>", lambda event: self._arrange(event.width, event.height))
        column.bind(
            "<Configure>", lambda _: self._arrange(right.winfo_width(), right.winfo_height())
        )
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
        self.link = self._field(column, "Invite link", "From the host", "chat://…", icon="link")
        self.name = self._field(column, "Your name", "Others see this", "Mira")
        self._username_part = Panel(column, theme, "window")
        self.username = self._field(
            self._username_part, "Your username", "a–z, 0–9 and . _ -", "mira"
        )
        self.problem = Label(column, theme, tone="danger", wrap=_RIGHT)
        self.button = Button(
            column, theme, "Join", self.join, variant="primary", height=48, font="field_bold"
        )
        self.button.pack(fill="x", pady=(px(34), 0))
        self._progress = Panel(column, theme, "window")
        self._spinner = Spinner(self._progress, theme)
        self._spinner.pack(side="left", padx=(0, px(8)))
        self.cancel = Button(self._progress, theme, "Cancel", self._on_cancel, variant="link")
        self.cancel.pack(side="right")
        self._progress_text = Label(self._progress, theme, "Joining…", tone="muted")
        self._progress_text.pack(side="left")

    def _field(
        self, parent: tk.Misc, title: str, note: str, placeholder: str, icon: str | None = None
    ) -> Field:
        theme, px = self._theme, self._theme.px
        line = Panel(parent, theme, "window")
        line.pack(fill="x", pady=(px(24), px(6)))
        Label(line, theme, title, font="row_bold").pack(side="left")
        Label(line, theme, note, font="label", tone="muted").pack(side="right")
        field = Field(
            parent,
            theme,
            placeholder=placeholder,
            icon="link" if icon else None,
            height=48,
            font="field",
            on_change=self._changed,
            on_submit=lambda *_: self.join(),
        )
        field.pack(fill="x")
        return field

    def _fill(self, prefill: Prefill) -> None:
        if prefill.invite is not None:
            self.link.value = prefill.invite.link()
        self.name.value = prefill.name
        if prefill.username or prefill.field == "username":
            self.username.value = prefill.username
            self._ask_username()
        self._look()
        self.refuse(prefill.problem, prefill.field)
        empty = next((field for field in (self.link, self.name) if not field.value), None)
        (empty or self.name).focus_set()

    # What the person does

    def join(self) -> None:
        """Join, or say what is missing."""
        if self._joining:
            return
        try:
            invite = find_invite(self.link.value)
        except InviteError as error:
            self.refuse(_sentence(str(error)), "invite")
            return
        display_name = " ".join(self.name.value.split())
        if not display_name:
            self.refuse("Say what others shall call you.", "display_name")
            return
        try:
            display_name = clean_display_name(display_name)
        except NameRefusedError as error:
            self.refuse(_sentence(str(error)), "display_name")
            return
        name = name_of(display_name)
        if self._username_part.winfo_manager() or name is None:
            self._ask_username()
            try:
                name = Name(fold_username(self.username.value.strip()), display_name)
            except NameRefusedError as error:
                self.refuse(_sentence(str(error)), "username")
                return
        self.refuse("", "")
        self._on_join(invite, name)

    def joining(self, text: str = "Joining…") -> None:
        """Show that it is being tried."""
        self._joining = True
        self.button.enabled = False
        self._progress_text.set(text)
        self._progress.pack(fill="x", pady=self._theme.px(14))
        self._spinner.start()

    def refuse(self, problem: str, field: str) -> None:
        """Say why it can't be, beside what to change."""
        self._joining = False
        self.button.enabled = True
        self._progress.pack_forget()
        self._spinner.stop()
        if field == "username":
            self._ask_username()
        fields = {"username": self.username, "display_name": self.name, "invite": self.link}
        fields["secret"] = self.link
        for known in (self.username, self.name, self.link):
            known.set_error(fields.get(field) is known and bool(problem))
        if problem:
            self.problem.set(problem)
            self.problem.pack(anchor="w", pady=(self._theme.px(14), 0), before=self.button)
            fields.get(field, self.link).focus_set()
        else:
            self.problem.pack_forget()

    def _ask_username(self) -> None:
        if not self._username_part.winfo_manager():
            if not self.username.value:
                known = name_of(self.name.value)
                self.username.value = known.username if known is not None else ""
            before = self.problem if self.problem.winfo_manager() else self.button
            self._username_part.pack(fill="x", before=before)

    def _chosen(self, key: str | None) -> None:
        if key == "here" and self._here is not None:
            self.link.value = self._here.link()
            self._look()
            self.name.focus_set()
        elif key in self._accounts:
            self._on_account(self._accounts[key])

    def _changed(self, *_: object) -> None:
        if self.problem.winfo_manager():
            self.refuse("", "")
        self._look()

    def _look(self) -> None:
        """Show which chat the link leads to as soon as it can be read."""
        try:
            invite = find_invite(self.link.value)
        except InviteError:
            self._invite = None
            self._badge.set(self._no_badge)
            self._server.set("Join with an invite")
            self._where.set("Paste the link that the host sent you")
            return
        if invite == self._invite:
            return
        self._invite = invite
        name = safe(invite.server_name)
        self._badge.set(lambda: self._theme.badge(name, 48))
        self._server.set(name)
        self._where.set(f"at {safe(invite.hosts[0])}, port {invite.port}")

    def _no_badge(self) -> tk.PhotoImage:
        """What stands for a chat that is not known yet."""
        return self._theme.icon("chat", self._theme.palette.accent, 48)

    def _arrange(self, width: int, height: int) -> None:
        """The column as wide as there is room, and no lower than it must be to be seen whole."""
        px = self._theme.px
        width = min(px(_RIGHT), width - px(2 * 20))
        spare = (height - self._column.winfo_reqheight()) // 2
        self._column.place(width=width, y=max(px(8), min(px(54), spare)))
        self._server.configure(wraplength=width - px(64))
        self.problem.configure(wraplength=width)
        self._progress_text.configure(wraplength=width - px(100))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
