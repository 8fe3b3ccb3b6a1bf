"""A running server's facts, kept true for everything that shows them.

What a server tells about itself (`Running`) may change while it runs: the computer joins another
network, the host gives the chat another name. Whoever learns of a change calls
`InvitePublisher.update`; the invite is made anew from it, every file that tells it is replaced, and
the front end is told.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from chat_server.ready_file import Running, remove_ready_file, running_as, write_ready_file
from common.domain.invite import Invite

log = logging.getLogger(__name__)


class InvitePublisher:
    """The present `Running` of one run of the server. Every method may be called by any thread.

    `changed` is called by the thread that updates, with the new facts, once the files have them:
    one call at a time, in the order of the changes. It must not call back.
    """

    def __init__(self, invite: Invite, epoch: str, changed: Callable[[Running], object]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._invite = invite
        self._epoch = epoch
        self._running = running_as(invite, epoch)
        self._files: dict[Path, Running] = {}
        """Each file, and the facts that it has."""
        self._failed: set[Path] = set()
        """Files that could not be replaced: said once, and tried again with each update."""

    @property
    def running(self) -> Running:
        """The facts as they are now."""
        return self._running

    def add_file(self, path: Path) -> None:
        """Tell the facts in a file too, from now until `remove_file`.

        Raises OSError when it can't be written; then it isn't tried again.
        """
        with self._lock:
            write_ready_file(path, self._running)
            self._files[path] = self._running

    def remove_file(self, path: Path) -> None:
        """Take the file away. Harmless when it is gone, or was never added."""
        with self._lock:
            if self._files.pop(path, None) is not None:
                remove_ready_file(path)

    def link(self, name: str, secret: str) -> str:
        """The invite with this name and secret, and the addresses of the moment. Never waits."""
        return replace(self._invite, server_name=name, secret=secret).link()

    def update(
        self,
        *,
        name: str | None = None,
        secret: str | None = None,
        addresses: tuple[str, ...] | None = None,
    ) -> None:
        """Take over what is given, and tell it where it differs from what was told before.

        A call that changes nothing costs nothing, except that a file that could not be replaced
        is tried again: so whoever watches for changes may call it at each look.
        """
        with self._lock:
            invite = self._invite
            if name is not None:
                invite = replace(invite, server_name=name)
            if secret is not None:
                invite = replace(invite, secret=secret)
            if addresses is not None:
                invite = replace(invite, hosts=addresses)
            differs = invite != self._invite
            if differs:
                self._invite = invite
                self._running = running_as(invite, self._epoch)
            for path, told in self._files.items():
                if told is not self._running:
                    self._rewrite(path)
            if differs:
                self._changed(self._running)

    def _rewrite(self, path: Path) -> None:
        try:
            write_ready_file(path, self._running)
        except OSError as error:
            if path not in self._failed:
                log.warning("%s can't be replaced and has old facts: %s", path, error)
            self._failed.add(path)
        else:
            self._failed.discard(path)
            self._files[path] = self._running
