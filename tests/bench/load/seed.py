"""What a ChatServer finds in its folder at its start: accounts, rooms, and what was said there.

It is written through the store itself. The generator's members sign in to these accounts and see
the texts; tests/bench/load/chat.c has the other half of what is agreed on here.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from base64 import urlsafe_b64encode
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chat_server.rules.directory import Account, Device, RoomLog
from chat_server.store.sqlite.store import SqliteStore
from common.domain.names import GENERAL
from common.protocol.events import MESSAGE, Event
from common.system.private_files import make_private_folder

_AT_ONCE: Final = 20_000
"""Events in one transaction: more would make the write-ahead log large."""
_TEXT: Final = 100
_BEGAN: Final = 1_767_225_600_000


@dataclass(frozen=True, slots=True)
class Seed:
    """So many accounts, everyone in `general`; so many messages there.

    With several `rooms` everyone is in one of them besides, the same number in each.
    """

    accounts: int
    rooms: int = 1
    history: int = 0


class Seeds:
    """Databases that are made once and copied for each server that starts with them."""

    def __init__(self, folder: Path) -> None:
        """They are kept in this folder, which must be there."""
        self._folder = folder
        self._made: dict[Seed, Path] = {}

    def put(self, seed: Seed, data: Path) -> None:
        """A server's new data folder, with the database in it."""
        if seed not in self._made:
            path = self._folder / f"seed-{len(self._made)}.db"
            _write(seed, path)
            self._made[seed] = path
        make_private_folder(data)
        shutil.copy(self._made[seed], data / "chat.db")


def username(number: int) -> str:
    """Of a member by its number."""
    return f"m{number:04}"


def _write(seed: Seed, path: Path) -> None:
    with closing(SqliteStore(path)) as log:
        with log.transaction():
            everyone = log.add_room(GENERAL, _BEGAN)
            accounts = [_account(log, number, everyone) for number in range(seed.accounts)]
            _rooms(log, seed, accounts)
        for start in range(0, seed.history, _AT_ONCE):
            with log.transaction():
                for seq in range(start + 1, min(start + _AT_ONCE, seed.history) + 1):
                    _say(log, everyone, seq, accounts[seq % len(accounts)])


def _account(log: SqliteStore, number: int, everyone: RoomLog) -> Account:
    """Somebody whose one device has the token that the generator knows: its number and one."""
    account = log.add_account(username(number), f"Member {number}", number + 1, _BEGAN)
    token = (number + 1).to_bytes(32, "big")
    device = Device(account.username, "0" * 32, "load", _BEGAN)
    log.add_device(account, hashlib.sha256(token).digest(), device)
    log.add_member(everyone, account)
    return account


def _rooms(log: SqliteStore, seed: Seed, accounts: list[Account]) -> None:
    if seed.rooms == 1:
        return
    size = len(accounts) // seed.rooms
    for number in range(seed.rooms):
        room = log.add_room(f"r{number:03}", _BEGAN)
        for account in accounts[number * size : (number + 1) * size]:
            log.add_member(room, account)


def _say(log: SqliteStore, room: RoomLog, seq: int, sender: Account) -> None:
    """A text that tells its place, so that who reads it can see that it is the right one."""
    text = f"h{seq:09}".ljust(_TEXT, "x")
    at = _BEGAN + seq
    cid = urlsafe_b64encode(at.to_bytes(6) + secrets.token_bytes(6)).decode()
    event = Event(GENERAL, seq, MESSAGE, sender.username, at, cid, {"text": text})
    log.append(room, event, sender)
    room.head = seq
