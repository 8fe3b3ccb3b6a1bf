"""The dialog of a moderator's invites: which there are, revoking one, making another."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from chat_client.state import news
from chat_client.state.request import CreateInvite, RevokeInvite
from chat_client.window.link_list_dialog import LinkListDialog, moment
from common.domain.sentences import whole_sentence
from common.ui.look.theme import Theme
from common.ui.widgets.buttons import Button
from common.ui.widgets.dialog import Choice, Dialog
from common.ui.widgets.invite_question import MAKE, invite_question, read_invite
from common.ui.widgets.safe_text import safe

if TYPE_CHECKING:
    from chat_client.core import Core
    from common.protocol.messages import InviteFacts

_REVOKE: Final = "revoke"


class InvitesDialog(LinkListDialog):
    """Asks for the list when it is made; `show`, `allow` and `hear` are called with replies.

    It has those of `username` that are valid. `order(do)` has the core do something.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        username: str,
        order: Callable[[Callable[[Core], object]], object],
    ) -> None:
        self._username = username
        self.revoke: dict[int, Button] = {}
        """The button of each invite, by its number."""
        super().__init__(
            parent,
            theme,
            "Invite people",
            "Whoever has one of your links joins as a member, without being asked.",
            "New invite…",
            order,
        )
        order(lambda core: core.list_invites())
        order(lambda core: core.ask_joining())

    # What is answered

    def show(self, listed: news.InvitesListed) -> None:
        """The list has come, or can't be had."""
        if not self.window.winfo_exists():
            return
        if listed.invites is None:
            why = "" if listed.why is None else f" {safe(whole_sentence(listed.why))}"
            self._say(f"Your invites can’t be listed now.{why}", "danger")
            return
        mine = [
            each
            for each in listed.invites
            if each.kind == "link" and each.by == self._username and each.ended is None
        ]
        if self.add.enabled and not self.link.link:
            if mine:
                self.note.pack_forget()
            else:
                self._say("You have no invite that is valid.", "muted")
        self._clear()
        self.revoke.clear()
        for each in mine:
            self._add_invite(each)
        self._filled()

    def allow(self, told: news.JoiningTold) -> None:
        """Whether moderators may make invites has come."""
        if told.why is None and not told.moderators_invite and self.window.winfo_exists():
            self.add.enabled = False
            self._say(
                "The host does not let moderators make invites. ChatServer’s settings have that, "
                "under “Joining”."
            )
            self._fit()

    def hear(self, item: news.Requested) -> None:
        """A link was made, an invite was revoked; or it was refused."""
        if not self.window.winfo_exists():
            return
        self.add.enabled = True
        if item.why is not None:
            self._say(safe(whole_sentence(item.why)), "danger")
            self._fit()
            return
        if isinstance(item.what, CreateInvite):
            until = "" if item.expires is None else f" It is valid until {moment(item.expires)}."
            self._say(f"Send it to whom it is for.{until} It is not shown again.")
            self._show_link(item.link, "New invite…")
        self._order(lambda core: core.list_invites())

    def _add_invite(self, invite: InviteFacts) -> None:
        uses = f"Used {invite.uses} times" if invite.uses > 1 else "Used once"
        if invite.uses == 0:
            uses = "Not used yet"
        elif invite.most_uses is not None:
            uses = f"Used {invite.uses} of {invite.most_uses}"
        until = "no end" if invite.expires is None else f"until {moment(invite.expires)}"
        name = safe(invite.note) or f"Link of {moment(invite.created)}"
        action = "Revoke…", partial(self._revoke, invite.number, name)
        button = self._add_row("link", name, f"{uses} · {until}", action)
        if button is not None:
            self.revoke[invite.number] = button

    # What is asked for

    def _make(self) -> None:
        question = invite_question(self.window, self._theme)
        answer = self._ask(question)
        if answer.choice == MAKE:
            self.add.enabled = False
            wanted = read_invite(answer.text, answer.options)
            self._order(lambda core: core.request(CreateInvite(**wanted._asdict())))

    def _revoke(self, number: int, name: str) -> None:
        question = Dialog(
            self.window,
            self._theme,
            f"Revoke “{name}”?",
            "Nobody joins with it any more. People who have joined with it stay.",
            (Choice("no", "Cancel"), Choice(_REVOKE, "Revoke", "danger")),
        )
        if self._ask(question).choice == _REVOKE:
            self._hide_link()
            self._order(lambda core: core.request(RevokeInvite(number)))
