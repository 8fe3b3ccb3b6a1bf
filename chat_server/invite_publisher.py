"""Publishes the invite and other facts of a running server, and updates them everywhere.

They (`Running`) may change while the server runs: the computer joins another network, the host
renames the chat. Whoever notices a change calls `InvitePublisher.update`, which makes the invite
again, replaces every file that contains it, and notifies the front end.
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
    """The current `Running` of one run of the server. Every method is thread-safe.

    `changed` is called with the new facts on the thread that updates, after the files are written:
    one call at a time, in the order of the changes. It must not call a method of this object.
    """

    def __init__(self, invite: Invite, epoch: str, changed: Callable[[Running], object]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._invite = invite
        self._epoch = epoch
        self._running = running_as(invite, epoch)
        self._files: dict[Path, Running] = {}
        """The facts that each file contains."""
        self._failed: set[Path] = set()
        """Files that could not be replaced: logged once, and retried with each update."""

    @property
    def running(self) -> Running:
        """The current facts."""
        return self._running

    def add_file(self, path: Path) -> None:
        """Write the facts to a file, and update it until `remove_file`.

        Raises OSError if it can't be written; it is not retried then.
        """
        with self._lock:
            write_ready_file(path, self._running)
            self._files[path] = self._running

    def remove_file(self, path: Path) -> None:
        """Delete the file. Idempotent; does nothing for a file that was never added."""
        with self._lock:
            if self._files.pop(path, None) is not None:
                remove_ready_file(path)

    def link(self, name: str, secret: str, username: str = "") -> str:
        """An invite with this name and secret, and the current addresses. Never blocks.

        With a `username` it is for one more device of that account.
        """
        invite = replace(self._invite, server_name=name, secret=secret, username=username)
        return invite.link()

    def update(
        self,
        *,
        name: str | None = None,
        secret: str | None = None,
        addresses: tuple[str, ...] | None = None,
    ) -> None:
        """Replace the given facts, and publish them if they differ from the current ones.

        A call that changes nothing is cheap and only retries files that could not be replaced: it
        may be called at each poll.
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
            for path, written in self._files.items():
                if written is not self._running:
                    self._rewrite(path)
            if differs:
                self._changed(self._running)

    def _rewrite(self, path: Path) -> None:
        try:
            write_ready_file(path, self._running)
        except OSError as error:
            if path not in self._failed:
                log.warning("%s can't be replaced and is out of date: %s", path, error)
            self._failed.add(path)
        else:
            self._failed.discard(path)
            self._files[path] = self._running
