"""An open account: its lock, its cache, its core and the window's reading connection."""

from collections.abc import Callable, Sequence

from chat_client.accounts import Accounts
from chat_client.cache.cache import Cache
from chat_client.cache.pages import CacheReader
from chat_client.core import Core
from chat_client.state.account import Account
from chat_client.state.news import News
from common.datafolder import FolderLock


class Session:
    """Opens in its constructor, closes with `close`; nothing is left open when it raises.

    Raises FolderInUseError, CacheError, OSError. `tell` is called on the core's thread.
    """

    def __init__(
        self, accounts: Accounts, account: Account, tell: Callable[[Sequence[News]], None]
    ) -> None:
        accounts.save(account)
        folder = accounts.folder(account)
        self.account = account
        self._lock = FolderLock(folder)
        self._lock.acquire()
        try:
            cache = Cache(folder / "cache.db")
            self.reader = CacheReader(folder / "cache.db")
        except BaseException:
            self._lock.release()
            raise
        self.core = Core(account, cache, tell)
        self.core.start()

    def close(self) -> None:
        """Hang up and let go of everything; returns when all is stored."""
        self.reader.close()
        self.core.stop()
        self._lock.release()
