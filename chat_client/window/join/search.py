"""Looks for chats while the join screen is shown, and works out what is to be listed."""

from __future__ import annotations

import logging
import threading
import tkinter as tk
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from chat_client.local_server import find_local_server
from chat_client.state.account import Account
from chat_client.window.join.hosting import Hosting
from chat_client.window.join.listing import Entry, Listing, list_chats
from chat_client.window.join.network import Network, Presence, Running
from common.domain.invite import Invite, Place
from common.domain.reasons import Reason
from common.domain.sentences import whole_sentence
from common.limits import DEFAULT_PORT
from common.system.gc_pause import gc_paused
from common.system.other_program import Launch
from common.ui.program.mailbox import Mailbox

if TYPE_CHECKING:
    from chat_client.state.discovery import FoundChat

log = logging.getLogger(__name__)

BEGIN: Final = 20
"""Milliseconds after the screen is built in which it is drawn; then the search is loaded."""
PATIENCE: Final = 1500
"""Milliseconds for which nothing is said of why nothing was found."""
_LOOK: Final = 1000
"""Milliseconds between two looks for a server on this computer."""
_AGAIN: Final = 5000
"""Milliseconds between two diagnoses, as long as nothing is found."""


class _Chats(NamedTuple):
    """What the finder has found."""

    chats: Sequence[FoundChat]


class _Seen(NamedTuple):
    """Which known chats have answered, or not, by the keys of their accounts."""

    online: Mapping[str, bool]


class _Scanned(NamedTuple):
    """What was found at the addresses of this network; at the end, how many were tried."""

    chats: Sequence[FoundChat]
    tried: int | None


class _Causes(NamedTuple):
    """Why nothing was found."""

    reasons: Sequence[Reason]


_Told = _Chats | _Seen | _Scanned | _Causes


class Search:
    """Owns the finder, the look at known chats, and the question why nothing was found.

    `on_change()` is called on the Tk thread whenever something else is to be shown. It goes on
    until `close`, whatever screens are made anew meanwhile.
    """

    def __init__(
        self, root: tk.Tk, network: Network, accounts: Sequence[Account], server: Launch | None
    ) -> None:
        self._root = root
        self.accounts = accounts
        self.on_change: Callable[[], object] = lambda: None
        self.here: Invite | None = find_local_server()
        self.causes: tuple[str, ...] = ()
        """Why nothing was found, as sentences; the one thing to do is in each."""
        self.patient = True
        """Whether it has just begun: there is no reason yet to say that nothing was found."""
        self.hosting = Hosting(root, server, self._hosting_changed)
        self.scanning = False
        """Whether each address of this network is being tried."""
        self._tried: int | None = None
        """How many were tried in vain the last time."""
        self._is_alone = False
        """Whether there is no network at all."""
        self._chats: Sequence[FoundChat] = ()
        self._scanned: Sequence[FoundChat] = ()
        self._discovered: set[bytes] = set()
        """Fingerprints the finder has told since the last scan began: it tells their end, too."""
        self._names: dict[bytes, str] = {}
        """What servers have called themselves, for those that were found by their address."""
        self._seen: dict[str, bool] = {}
        self.listing = self._list()
        self._mailbox: Mailbox[_Told] = Mailbox(root, self._take)
        self._parts = _Parts(network, accounts, self._mailbox)
        self._timers: dict[str, str] = {}
        self._after("begin", BEGIN, lambda: _start("search loading", self._parts.load))
        self._after("here", _LOOK, self._look_here)
        self._after("why", PATIENCE, self._lose_patience)

    @property
    def can_host(self) -> bool:
        """Whether a chat can be started here that is not there yet."""
        return self.hosting.available and self.here is None

    @property
    def can_scan(self) -> bool:
        """Whether trying each address may help: nothing was found, and there is a network."""
        return bool(self.causes) and not (self.scanning or self._is_alone)

    @property
    def said(self) -> tuple[str, ...]:
        """Why nothing was found, with what came of trying each address."""
        if self._tried is None or self.scanning or not self.causes:
            return self.causes
        params = {"count": self._tried, "port": DEFAULT_PORT}
        tried = Reason("scanned_in_vain" if self._tried else "nothing_to_scan", params)
        return (*self.causes, whole_sentence(tried))

    def scan(self) -> None:
        """Try each address of this network; harmless while that is under way."""
        if not self.scanning:
            self.scanning = True
            self._discovered.clear()
            _start("scan loading", self._parts.scan)
            self.on_change()

    def learn(self, place: Place) -> None:
        """A server has said what it is called: one that was found by its address is listed so."""
        if place.fingerprint is not None:
            self._names[place.fingerprint] = place.server_name
            self._changed()

    @property
    def anything(self) -> bool:
        """Whether there is a chat to be joined or opened."""
        return bool(self.listing.found) or any(each.online for each in self.listing.known)

    def has(self, entry: Entry) -> bool:
        """Whether a chat that was chosen is still there."""
        if entry.invite is not None:
            return self.here is not None
        return self.listing.entry(entry.key) is not None

    def close(self) -> None:
        """Stop looking; idempotent."""
        self.hosting.stop()
        for timer in self._timers.values():
            self._root.after_cancel(timer)
        self._timers.clear()
        self._mailbox.close()
        self._parts.close()

    def _after(self, name: str, wait: int, action: Callable[[], object]) -> None:
        self._timers[name] = self._root.after(wait, action)

    def _hosting_changed(self) -> None:
        self.on_change()

    def _look_here(self) -> None:
        here = find_local_server()
        if here != self.here:
            self.here = here
            if here is not None:
                self.hosting.stop()
            self._changed()
        self._after("here", _LOOK, self._look_here)

    def _lose_patience(self) -> None:
        if self.anything:
            self._after("why", _AGAIN, self._lose_patience)
        else:
            _start("diagnosis", self._parts.diagnose)
        if self.patient:
            self.patient = False
            self.on_change()

    def _take(self, items: list[_Told]) -> None:
        for item in items:
            if isinstance(item, _Chats):
                self._chats = item.chats
                found = {each.fingerprint for each in item.chats}
                self._discovered |= found
                self._parts.skip(found)
            elif isinstance(item, _Seen):
                self._seen.update(item.online)
            elif isinstance(item, _Scanned):
                self._take_scanned(item)
            else:
                self._is_alone = any(each.code == "no_network" for each in item.reasons)
                self._diagnosed(tuple(map(whole_sentence, item.reasons)))
        self._changed()

    def _take_scanned(self, item: _Scanned) -> None:
        self._scanned = item.chats
        if item.tried is not None:
            self.scanning, self._tried = False, None if item.chats else item.tried
            self.on_change()

    def _diagnosed(self, causes: tuple[str, ...]) -> None:
        if causes != self.causes and not self.anything:
            self.causes = causes
            self.on_change()
        self._after("why", _AGAIN, self._lose_patience)

    def _changed(self) -> None:
        listing = self._list()
        if listing != self.listing:
            self.listing = listing
            if self.anything:
                self.causes = ()  # whatever was said is over
            self.on_change()

    def _list(self) -> Listing:
        found = self._discovered.union(each.fingerprint for each in self._chats)
        others = [
            replace(each, name=self._names.get(each.fingerprint, each.name))
            for each in self._scanned
            if each.fingerprint not in found
        ]
        return list_chats(self.accounts, self.here, [*self._chats, *others], self._seen)


class _Parts:
    """What runs on threads. It knows nothing of Tk, as they may outlive the window."""

    def __init__(
        self, network: Network, accounts: Sequence[Account], mailbox: Mailbox[_Told]
    ) -> None:
        self._network, self._accounts, self._mailbox = network, accounts, mailbox
        self._running: list[Running] = []
        self._presence: Presence | None = None
        self._found: Collection[bytes] = ()
        self._closed = False
        self._changing = threading.Lock()

    def load(self) -> None:
        """Import the parts, and start them. The finder first: it is small, and waited for."""
        post = self._mailbox.post
        pins = (account.invite.fingerprint for account in self._accounts)
        known = {pin for pin in pins if pin is not None}
        try:
            with gc_paused():
                self._run(self._network.finder(lambda chats: post(_Chats(chats)), known))
                if self._accounts:
                    online = self._network.presence(self._accounts, lambda seen: post(_Seen(seen)))
                    online.skip(self._found)
                    self._presence = online
                    self._run(online)
        except OSError as error:
            # Without file descriptors; a chat can be joined by a link all the same.
            log.warning("chats can't be looked for: %s", error)

    def skip(self, fingerprints: Collection[bytes]) -> None:
        """Don't look at the known chats that were found: they are there."""
        self._found = fingerprints
        if self._presence is not None:
            self._presence.skip(fingerprints)

    def scan(self) -> None:
        """Begin to try each address of this network."""
        post = self._mailbox.post
        try:
            with gc_paused():
                self._run(self._network.scan(lambda chats, tried: post(_Scanned(chats, tried))))
        except OSError as error:
            log.warning("this network can't be searched: %s", error)
            post(_Scanned((), 0))

    def diagnose(self) -> None:
        """Find out why nothing was found, and tell it."""
        self._mailbox.post(_Causes(self._network.why_nothing()))

    def close(self) -> None:
        """Stop what runs, and start nothing more."""
        with self._changing:
            self._closed = True
            running, self._running = self._running, []
        for each in running:
            each.stop()

    def _run(self, part: Running) -> None:
        with self._changing:
            if not self._closed:
                self._running.append(part)
                part.start()


def _start(name: str, action: Callable[[], object]) -> None:
    threading.Thread(target=action, name=name, daemon=True).start()
