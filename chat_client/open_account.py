"""An open account: its lock, its cache, its core and the window's reading connection."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chat_client.accounts import Accounts
from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.cache.search import Found, Search
from chat_client.state.account import Account
from chat_client.state.news import News
from common.system.gc_pause import gc_paused

if TYPE_CHECKING:
    from chat_client.core import Core  # importing it takes longer than showing the cache


class OpenAccount:
    """Opens in its constructor, closes with `close`; nothing is left open when it raises.

    Raises FolderInUseError, AccountError, CacheError, OSError. After `begin` it connects; until
    then the window can show what is in the cache. `tell` is called on the core's thread.
    """

    def __init__(
        self, accounts: Accounts, account: Account, tell: Callable[[Sequence[News]], None]
    ) -> None:
        self.account = account
        self._tell = tell
        self._path = accounts.folder(account) / "cache.db"
        self._lock = accounts.lock(account)
        try:
            # Not before the lock: another window may have the account open, with another invite.
            accounts.save(account)
            self._cache = Cache(self._path)
            self.reader = CacheReader(self._path)
        except BaseException:
            self._lock.release()
            raise
        self._search: Search | None = None
        self._core: Core | None = None
        self._orders: list[Callable[[Core], object]] = []
        self._changing = threading.Lock()
        self._loading: threading.Thread | None = None
        self._closed = False

    def begin(self) -> None:
        """Load the core, and connect. Idempotent; does nothing after `close`."""
        if self._loading is None and not self._closed:
            self._loading = threading.Thread(target=self._load, name="core loading")
            self._loading.start()

    @property
    def core(self) -> Core:
        """The core; waits until it is loaded."""
        self.begin()
        if self._loading is not None:
            self._loading.join()
        if self._core is None:
            raise RuntimeError("the core could not be loaded")
        return self._core

    def ask(self, order: Callable[[Core], object]) -> None:
        """Call `order` with the core, now or as soon as it is loaded; never blocks."""
        with self._changing:
            if self._core is None:
                self._orders.append(order)
                return
        order(self._core)

    def search(self, room: str, words: str, before: int, tell: Callable[[Found], object]) -> None:
        """Start a search in a room; replaces the former one. See Search."""
        self.stop_search()
        self._search = Search(self._path, room, words, before, tell)

    def stop_search(self) -> None:
        """Cancel the search: no more results are reported."""
        if self._search is not None:
            self._search.stop()
            self._search = None

    def close(self) -> None:
        """Disconnect and release everything; returns when all is stored."""
        self.stop_search()
        self.reader.close()
        if self._orders:
            self.begin()  # it stores what was written before it was loaded
        self._closed = True
        if self._loading is not None:
            self._loading.join()
        if self._core is not None:
            self._core.stop()
        else:
            self._cache.close()
        self._lock.release()

    def _load(self) -> None:
        first = "chat_client.core" not in sys.modules
        with gc_paused():
            from chat_client.core import Core

        if first:
            # Everything loaded stays alive: the garbage collector need not scan it again.
            gc.freeze()
        core = Core(self.account, self._cache, self._tell)
        with self._changing:
            for order in self._orders:
                order(core)
            self._core = core
        core.start()
