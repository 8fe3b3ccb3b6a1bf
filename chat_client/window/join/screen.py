"""The join screen: the chats there are at the left, and the way into one at the right."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from typing import Final

from chat_client.accounts import former_of
from chat_client.options import Name
from chat_client.state.account import Account, server_key
from chat_client.state.attempts import Attempt as Tried
from chat_client.state.network_facts import why_not_reached
from chat_client.window.clipboard import Clipboard
from chat_client.window.join.attempt import Phase
from chat_client.window.join.chat_list import ChatList
from chat_client.window.join.column import Column, Handlers
from chat_client.window.join.listing import HERE, Entry
from chat_client.window.join.model import Hooks, JoinModel, Prefill
from chat_client.window.join.name_fields import NameFieldError
from chat_client.window.join.view import State, view_of
from chat_client.window.join.ways import Chosen, Way, best_way
from chat_client.window.join.words import tried_text
from common.domain.invite import Invite, InviteError, Place
from common.domain.pasted_invite import find_invite
from common.domain.reasons import Reason
from common.domain.sentences import as_sentence, whole_sentence
from common.domain.typed_address import AddressError
from common.ui.look.theme import Theme
from common.ui.widgets import selection
from common.ui.widgets.basics import Panel
from common.ui.widgets.focus import focus_at, focused_in
from common.ui.widgets.menus import MenuItem, popup
from common.ui.widgets.safe_text import safe

_CLIPBOARD_WAIT: Final = 60
"""Milliseconds after the screen is shown in which it is drawn; then the clipboard is read."""


class JoinScreen(Panel):
    """See `Hooks` for what it asks for, and `JoinModel` for what it shows."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        model: JoinModel,
        hooks: Hooks,
        first: Prefill | JoinScreen,
    ) -> None:
        """Begin with what is given, or go on where another screen was.

        That one is of another size of text: what is typed stays, and what is going on.
        """
        super().__init__(parent, theme, "window")
        self._theme, self.model, self._hooks = theme, model, hooks
        self.way = Way.SEARCH
        self._entry: Entry | None = None
        """The chosen chat as it is listed; None for one that is not."""
        self._invite: Invite | None = None
        """What the link leads to."""
        self._former: Account | None = None
        """The account that may be one of that chat, which is another now."""
        self._back: Account | None = None
        """The account that comes back into the chosen chat, or into one that is another now."""
        self._was_gone = False
        """Whether the chosen chat was found and is not there any more."""
        self._copied: Invite | None = None
        self._turned = False
        """Whether the person has chosen what to see: then nothing is chosen for them."""
        self._joining = ""
        """What is said while it is being tried to join."""
        self._taking_over = False
        """Whether the fields are being filled by another screen, and not by a person."""
        self._problem = "", ""
        """What is wrong, and with which field."""
        self._name = Name("", "")
        """The name with which somebody has asked."""
        self.list = ChatList(
            self,
            theme,
            on_chosen=self._chosen,
            on_menu=self._menu,
            on_address=lambda: self.turn(Way.ADDRESS),
            on_host=self._host,
            on_settings=hooks.on_settings,
        )
        self.list.pack(side="left", fill="y")
        self.column = Column(
            self,
            theme,
            Handlers(
                self._changed,
                self.join,
                self.cancel,
                self.turn,
                self._host,
                model.search.scan,
                self._take_copied,
                self._take_text,
            ),
        )
        self.column.pack(side="left", fill="both", expand=True)
        self.bind("<Configure>", self._configured, add="+")
        model.search.on_change = self._listed
        model.attempt.listener = self
        if isinstance(first, JoinScreen):
            self._take_over(first)
        else:
            self._fill(first)
        self.clipboard = Clipboard(self, self._found_on_clipboard)
        self.clipboard.ask(_CLIPBOARD_WAIT)

    def _configured(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self:
            self.list.share(event.width, event.height)

    def _fill(self, prefill: Prefill) -> None:
        self.column.names.propose(prefill.name, prefill.username)
        if prefill.invite is not None:
            self.take(prefill.invite)
        elif prefill.account is not None:
            self._come_back(prefill.account, prefill.place)
        elif prefill.place is not None:
            self.choose_place(prefill.place)
        elif prefill.link:
            self.column.link.link.value = prefill.link
            self.turn(Way.LINK)
        else:
            self._focus()
            self._listed()
        if prefill.problem:
            self.refuse(prefill.problem, prefill.field)

    def made_anew(self) -> JoinScreen:
        """The same for another size of text."""
        return JoinScreen(self.master, self._theme, self.model, self._hooks, self)

    def close(self, *, destroy: bool = True) -> None:
        """Stop what goes on behind it; destroy it unless the caller will."""
        self.model.close()
        if destroy:
            self.destroy()

    def _take_over(self, former: JoinScreen) -> None:
        self.way, self._entry, self._name = former.way, former._entry, former._name
        self._invite, self._former, self._copied = former._invite, former._former, former._copied
        self._turned, self._joining = former._turned, former._joining
        self._was_gone, self._back = former._was_gone, former._back
        self._problem = former._problem
        self._taking_over = True
        self.column.take_over(former.column)
        self._taking_over = False
        self._show_list()
        self._show()

    def take_keyboard(self, former: JoinScreen) -> None:
        """Take the keyboard where the former screen has it; this one is on the screen now."""
        focus = former.focus_displayof()
        if focus is not None and focus.winfo_toplevel() is not self.winfo_toplevel():
            return  # the settings have it
        path = focused_in(former)
        if path is None or not focus_at(self, path):
            self._focus()

    # What is chosen

    @property
    def chosen(self) -> Chosen | None:
        """What is known of the chosen chat; None while there is none."""
        return self.model.chosen(self._entry, self._back)

    def choose_place(self, place: Place, entry: Entry | None = None) -> None:
        """Turn to a chat that is not joined yet, or not by who wants to now."""
        self._stop()
        here = self.model.search.here
        if entry is None and here is not None and here.fingerprint == place.fingerprint:
            # It is on this computer, and listed as a known one: nobody has to be asked.
            entry = Entry(HERE, here.place, invite=here, online=True)
        self._entry, self._back = entry, None
        if entry is not None and entry.invite is not None:
            self.model.attempt.take(place)  # nothing has to be asked there
        else:
            self.model.attempt.choose(place)
        self.turn(best_way(self.chosen or Chosen()))

    def _come_back(self, account: Account, place: Place | None) -> None:
        """Turn to the chat of an account that needs another invite, or a code at `place`."""
        self._back = account
        self.model.attempt.take(place)  # it is not connected to before there is a code
        self.column.names.propose(safe(account.display_name), account.username)
        self.turn(Way.LINK)

    def take(self, invite: Invite) -> None:
        """Turn to the chat that an invite leads to, unless that is shown already."""
        if self.way is Way.LINK and invite == self._invite:
            return
        self._stop()
        self.column.link.link.value = invite.link()
        self.turn(Way.LINK)

    def show_damaged(self, link: str, problem: str) -> None:
        """Show what was opened as an invite link, and why it is none."""
        self._stop()
        self.column.link.link.value = link
        self.turn(Way.LINK)
        self.refuse(problem, "invite")

    def turn(self, way: Way, *, choose: bool = True) -> None:
        """Show another way in. Who looks for chats gets the only one, unless they may `choose`."""
        self._stop()
        self._turned = way is not Way.SEARCH or not choose
        if way in {Way.SEARCH, Way.ADDRESS}:
            self._entry = self._back = None
            self.model.attempt.take(None)
        self.way = way
        self._problem = "", ""
        self._look()
        self._show_list()
        self._focus()
        if not self._turned:
            self._listed()

    def _chosen(self, entry: Entry) -> None:
        if entry.account is not None:
            self._hooks.on_account(entry.account)
        else:
            self.choose_place(entry.place, entry)

    def _menu(self, entry: Entry, x: int, y: int) -> None:
        account = entry.account
        if account is not None:
            items = [
                MenuItem("Open", lambda: self._hooks.on_account(account)),
                MenuItem("Join as somebody else…", lambda: self.choose_place(entry.place)),
            ]
            popup(self, self._theme, items, x, y)

    def _host(self) -> None:
        self.turn(Way.SEARCH, choose=False)
        self.model.search.hosting.start()

    def _listed(self) -> None:
        """The listing has changed, or what is said about it."""
        listing = self.model.search.listing
        mine = listing.entry(self._entry.key) if self._entry is not None else None
        if mine is not None and self._entry is not None and mine != self._entry:
            self.model.attempt.moved(mine.place, renamed=mine.name != self._entry.name)
            self._entry = mine
            self._keep_to_rule()
        self._note_return()
        if len(listing.found) > 1:
            self._turned = True  # there was a choice: it is the person's
        only = listing.found[0] if len(listing.found) == 1 else None
        if only is not None and not (self._turned or listing.known or only.imitates):
            # Of one chat there is nothing to choose. What was said stays: nobody has read it yet.
            problem, field = self._problem
            self.choose_place(only.place, only)
            self._problem = problem, field
            self._show()
            return
        hosted = listing.entry(HERE)
        if hosted is not None and self.way is Way.SEARCH and self._hosting:
            self.choose_place(hosted.place, hosted)
            return
        self._show_list()
        self._show()

    def _note_return(self) -> None:
        """When the chosen chat is back, why it could not be joined is no longer true."""
        gone = self._is_gone
        if self._was_gone and not gone and not self._joining:
            self._problem = "", ""
        self._was_gone = gone

    @property
    def _is_gone(self) -> bool:
        return self.way in {Way.CHAT, Way.CODE} and self.chosen is not None and self.chosen.gone

    # What the person does

    def join(self) -> None:
        """Do what the button says, or show what is missing."""
        if self._joining or self.model.attempt.busy:
            return
        if self.way is Way.ADDRESS:
            self._connect()
            return
        try:
            invite = self.column.link.result() if self.way is Way.LINK else self._direct()
        except InviteError as error:
            self.refuse(as_sentence(str(error)), "invite")
            return
        code = self.column.code.slots
        if self.way is Way.CODE and not code.full:
            self.refuse("Type all eight characters of the code.", "code")
            return
        try:
            self._name = self._name_for(invite)
        except NameFieldError as problem:
            self.refuse(str(problem), problem.field)
            return
        self.refuse("", "")
        if invite is not None:
            self._hooks.on_join(invite, self._name)
        elif self.way is Way.CODE:
            self.model.attempt.code(code.value)
        else:
            self.model.attempt.knock(self._name)

    def _name_for(self, invite: Invite | None) -> Name:
        if invite is not None and invite.username:
            return Name(invite.username, invite.username)
        return self.column.names.result()

    def _direct(self) -> Invite | None:
        """The invite to the chosen chat where none is needed."""
        place, chosen = self.model.attempt.place, self.chosen
        if self.way is not Way.CHAT or place is None or chosen is None or not chosen.at_once:
            return None
        here = self._entry.invite if self._entry is not None else None
        return here or place.invite("")

    def _connect(self) -> None:
        # Where an address belongs, a link is even better.
        if self._take_text(self.column.address.address.value):
            return
        try:
            place = self.column.address.result()
        except AddressError as error:
            self.refuse(as_sentence(str(error)), "address")
            return
        self.refuse("", "")
        self.model.attempt.look(place)

    def escape(self) -> None:
        """End what is being tried; or go back from another way in to the chat, or to the list."""
        if self._joining or self.model.attempt.busy:
            self.cancel()
            self._focus()
        elif self.way in {Way.CODE, Way.LINK, Way.ADDRESS}:
            chosen = None if self._back is not None else self.chosen
            self.turn(Way.SEARCH if chosen is None else best_way(chosen), choose=False)

    def cancel(self) -> None:
        """End what is being tried."""
        self._stop()
        self.refuse("", "")

    def _stop(self) -> None:
        """End what is being tried, without showing that."""
        self.model.attempt.withdraw()
        if self._joining:
            self._joining = ""
            self._hooks.on_cancel()

    def pasted(self) -> None:
        """Ctrl+V was pressed where nothing is typed: take a link."""
        self._take_text(selection.copied(self))

    def _take_text(self, text: str) -> bool:
        invite = _invite_in(text)
        if invite is not None and self.winfo_exists():
            self.take(invite)
        return invite is not None

    def _changed(self) -> None:
        if self._taking_over:
            return
        if self._joining or self.model.attempt.busy:
            # What is being tried is not what stands there any more.
            self._stop()
        self._problem = "", ""
        self._look()

    # News

    def on_change(self) -> None:
        """See `attempt.Listener`."""
        attempt = self.model.attempt
        if attempt.rule and attempt.place is not None:
            self.model.search.learn(attempt.place)
        if self.way is Way.ADDRESS and attempt.rule and attempt.place is not None:
            self._answered(attempt.place)
        before = self.way
        self._keep_to_rule()
        self._show()
        # A name that is being typed goes on where it is.
        names = self.column.names
        if self.way is not before and names.is_as_offered and focused_in(names.name) is not None:
            self._focus()

    def _keep_to_rule(self) -> None:
        """Less may be allowed than was shown: by the chat's rule, or as another one is like it."""
        if self.way is Way.CHAT and self.model.attempt.phase is Phase.IDLE:
            self.way = best_way(self.chosen or Chosen())

    def _answered(self, place: Place) -> None:
        """At a typed address there is a chat: it is as one that was found."""
        pin = place.fingerprint
        listing = self.model.search.listing
        entry = listing.with_pin(pin) if pin is not None else None
        if entry is not None and entry.account is None:
            self._entry = entry
        self.way = best_way(self.chosen or Chosen())
        self._show_list()
        self._show()
        self._focus()

    def on_invited(self, invite: Invite) -> None:
        """See `attempt.Listener`."""
        self._hooks.on_join(invite, self._name)

    def on_refused(self, reason: Reason, field: str) -> None:
        """See `attempt.Listener`."""
        suggestion = str(reason.params.get("suggestion", ""))
        self.refuse(safe(whole_sentence(reason)), field, suggestion)

    def on_unreachable(self, tried: Sequence[Tried]) -> None:
        """See `attempt.Listener`."""
        place = self.model.attempt.place
        if tried and self._entry is not None and place is not None:
            # It was found, so it is there, unless it has said goodbye since.
            name = place.server_name
            gone = Reason("found_gone", {"name": name})
            reason = gone if self._is_gone else why_not_reached(name, tried)
            if reason.code != "unreachable":
                self.refuse(safe(whole_sentence(reason)), "")
                return
        if self.way is Way.ADDRESS:
            self.model.attempt.take(None)  # there is no chat that could be asked
        self.refuse(tried_text(Reason("unreachable"), tried), "address")

    def joining(self, text: str = "Joining…", tried: str = "") -> None:
        """Show that it is connecting, and below the link the outcome of former attempts."""
        self._joining, self._problem = text, (tried, "invite")
        self._show()

    def refuse(self, problem: str, field: str, suggestion: str = "") -> None:
        """Say why it can't be, beside what to change; `suggestion` is a username to take instead.

        For `field` see `Column.at`. Where that is not shown, it stands above the button.
        """
        self._joining = ""
        if suggestion:
            self.column.names.username.value = suggestion
        self._problem = problem, field
        self._show()
        if problem:
            self.column.go_to(field, select=bool(suggestion) or field in {"code", "address"})

    # The clipboard

    def _found_on_clipboard(self, text: str) -> None:
        """Offer a chat whose link was copied; nothing is joined, or typed over, unasked."""
        invite = _invite_in(text)
        known = {server_key(account.invite) for account in self.model.search.accounts}
        if invite is not None and server_key(invite) in known and not invite.username:
            invite = None  # it stands in the list
        self._copied = invite
        self._show()

    def _take_copied(self) -> None:
        if self._copied is not None:
            self.take(self._copied)

    # What is shown

    def _look(self) -> None:
        """Show which chat the link leads to as soon as it can be read."""
        invite = self.column.link.invite if self.way is Way.LINK else None
        if invite != self._invite:
            self._invite = invite
            accounts = self.model.search.accounts
            former = former_of(accounts, invite, None) if invite is not None else None
            self._former = former if self.column.names.propose_former(former) else None
            if invite is not None and self._back is None:
                self._turn_to(invite.place)
        self._show()

    def _turn_to(self, place: Place) -> None:
        """Have the chat of a link be the chosen one: its host can be asked if the link is bad."""
        pin = place.fingerprint
        entry = self.model.search.listing.with_pin(pin) if pin is not None else None
        self._entry = entry if entry is not None and entry.account is None else None
        self.model.attempt.take(self._entry.place if self._entry is not None else place)
        self._show_list()

    def _show_list(self) -> None:
        key = self._entry.key if self._entry is not None else None
        self.list.show(self.model.search.listing, key)

    def _show(self) -> None:
        search, searching = self.model.search, self.way is Way.SEARCH
        self.list.show_foot(
            looking=not (search.anything or search.hosting.starting),
            address=self.way not in {Way.SEARCH, Way.ADDRESS},
            host=search.can_host and not searching,
        )
        state = State(
            self.way,
            self._entry,
            self._invite,
            self._former,
            self._back,
            self._copied,
            self._joining,
            *self._problem,
        )
        self.column.show(view_of(state, self.model))

    @property
    def _hosting(self) -> bool:
        """Whether ChatServer was started from here."""
        return self.model.search.hosting.started

    def _focus(self) -> None:
        """Give the keyboard to what is to be typed next, or to the list."""
        if not self.column.take_keyboard(self.way):
            self.list.rows.canvas.focus_set()


def _invite_in(text: str) -> Invite | None:
    try:
        return find_invite(text)
    except InviteError:
        return None
