"""Accounts on disk, a folder each: `accounts/USERNAME@SERVER` in the data folder.

SERVER is the identity that the server had when the account was made; the folder keeps its name.
In it are `account.json` (who, where, and this device's token; mode 0600) and `cache.db`
(events, positions, outbox). The file `last` names the account used last.
"""

import json
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from chat_client.state.account import Account, server_key
from common.domain.invite import Invite, Place, parse_invite
from common.domain.names import fold_username
from common.system.installation import FILE, SECRET_BYTES, installation_of
from common.system.installation import server_key as key_of
from common.system.private_files import FolderLock, make_private_folder, write_private

NEVER_MADE: Final = frozenset(
    {
        *("name_taken", "name_alike", "name_refused", "malformed", "too_many_devices"),
        *("bad_secret", "invite_expired", "invite_used", "invite_needed", "ask_first"),
    }
)
"""Refusals of a join after which the account does not exist. After any other failure it may exist:
the reply can be lost, and without the token nobody could use the name. `banned` is also the reply
to a repeated join of an account that exists."""
_FORMAT: Final = 1
_TOKEN_BYTES: Final = 32


class AccountError(Exception):
    """The account can't be used; the text says why, for a person."""


class Accounts:
    """The accounts in a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def folder(self, account: Account) -> Path:
        """The account's folder."""
        return self._data_dir / "accounts" / account.key

    def lock(self, account: Account) -> FolderLock:
        """Lock the account for this process, before anything of it is saved or opened.

        Raises FolderInUseError, AccountError, OSError.
        """
        self._make_folder(account)
        lock = FolderLock(self.folder(account))
        lock.acquire()
        return lock

    def save(self, account: Account) -> None:
        """Save it durably, and as the one used last. Raises AccountError, OSError."""
        folder = self._make_folder(account)
        content = {
            "format": _FORMAT,
            "invite": account.invite.link(),
            "username": account.username,
            "display_name": account.display_name,
            "token": account.token,
            "joined": account.joined,
        }
        _write(folder / "account.json", json.dumps(content, indent=1).encode() + b"\n")
        _write(self._data_dir / "last", account.key.encode())

    def _make_folder(self, account: Account) -> Path:
        folder = self.folder(account)
        try:
            for private in (self._data_dir, folder.parent, folder):
                make_private_folder(private)
        except OSError as error:
            raise AccountError(
                f"the folder {self._data_dir} can't be used: {error.strerror}"
            ) from error
        return folder

    def remove(self, account: Account) -> None:
        """Delete an account that its server refused. It has no messages yet."""
        (self.folder(account) / "account.json").unlink(missing_ok=True)

    def delete(self, account: Account) -> None:
        """Delete an account's folder with all that is in it. Raises OSError.

        Nobody may have it open.
        """
        folder = self.folder(account)
        # First what it is found by: a part that is left behind is no account.
        (folder / "account.json").unlink(missing_ok=True)
        shutil.rmtree(folder)

    def all(self) -> list[Account]:
        """All accounts, the one used last first. Raises AccountError on a damaged one."""
        try:
            last = (self._data_dir / "last").read_text()
        except (OSError, UnicodeDecodeError):
            last = ""
        found = (self._data_dir / "accounts").glob("*/account.json")
        accounts = [self._load(path) for path in sorted(found)]
        return sorted(accounts, key=lambda account: account.key != last)

    def _load(self, path: Path) -> Account:
        account = _load(path)
        return replace(account, installation=self.installation(account.invite.place))

    def installation(self, place: Place) -> str:
        """The id of this data folder for the server at a place; a different one for each server.

        Raises AccountError.
        """
        path = self._data_dir / FILE
        try:
            secret = path.read_bytes()
        except FileNotFoundError:
            secret = b""
        except OSError as error:
            raise AccountError(f"{path} can't be read: {error.strerror}") from error
        if len(secret) != SECRET_BYTES:
            secret = secrets.token_bytes(SECRET_BYTES)
            try:
                make_private_folder(self._data_dir)
                write_private(path, secret)
            except OSError as error:
                raise AccountError(f"{path} can't be written: {error.strerror}") from error
        return installation_of(secret, key_of(place.fingerprint, place.port))

    def find(self, invite: Invite | None, username: str | None) -> Account | None:
        """The account for an invite, a username, or both; with neither, the one used last.

        An account that its server has not confirmed yet is found only by both.
        """
        for account in self.all():
            if not account.joined and (invite is None or username is None):
                continue
            if invite is not None and server_key(account.invite) != server_key(invite):
                continue
            if username is not None and account.username != username:
                continue
            return account
        return None

    def former(self, invite: Invite, username: str | None) -> Account | None:
        """See `former_of`, among all accounts."""
        return former_of(self.all(), invite, username)

    def new(self, invite: Invite, username: str, display_name: str) -> Account:
        """A new account to join with, in a folder of its own. Raises AccountError."""
        account = new_account(invite, username, display_name)
        account = replace(account, installation=self.installation(invite.place))
        number = 1
        while (self.folder(account) / "account.json").exists():
            # An account of this name whose server had this identity once and has another now.
            number += 1
            account = replace(account, folder=f"{username}@{server_key(invite)}-{number}")
        return account


def former_of(accounts: Iterable[Account], invite: Invite, username: str | None) -> Account | None:
    """The account that may belong to the invite's server, from before it got a new identity.

    That is a guess by what the invites have in common, the secret or the chat's name; only the
    server can prove it (chat_client/net/recognition.py). Without a username there must be exactly
    one candidate.
    """
    found = [
        account
        for account in accounts
        if account.joined
        and username in {None, account.username}
        and None not in {account.invite.fingerprint, invite.fingerprint}
        and account.invite.fingerprint != invite.fingerprint
        and _alike(account.invite, invite)
    ]
    if username is None and len(found) != 1:
        return None
    # An equal secret ranks above an equal name; among equals comes the one used last.
    return min(found, key=lambda account: not _same_secret(account.invite, invite), default=None)


def new_account(invite: Invite, username: str, display_name: str) -> Account:
    """A new account to join with, with a random token for this device."""
    return Account(
        invite,
        username,
        display_name,
        secrets.token_hex(_TOKEN_BYTES),
        # Random, until it is saved in a data folder, which has one for all its accounts.
        installation=secrets.token_hex(16),
    )


def _alike(one: Invite, other: Invite) -> bool:
    return _same_secret(one, other) or one.server_name == other.server_name


def _same_secret(one: Invite, other: Invite) -> bool:
    """Chats where nobody needs one have nothing in common by that."""
    return bool(one.secret) and one.secret == other.secret


def _write(path: Path, content: bytes) -> None:
    """Write it durably, unless the file has this content already: an fsync blocks the window."""
    try:
        if path.read_bytes() == content:
            return
    except OSError:
        pass  # There is no file yet, or it can't be read and is replaced.
    write_private(path, content)


def _load(path: Path) -> Account:
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != _FORMAT:
            raise AccountError(f"{path} was made by a newer ChatClient; install that version")
        return replace(_account_of(content), folder=path.parent.name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AccountError(f"{path} is damaged: restore it from a backup, or remove it") from error


def _account_of(content: dict[str, Any]) -> Account:
    """The account in a file's content. Raises ValueError and others if it is malformed."""
    username, token = content["username"], content["token"]
    if username != fold_username(username) or len(bytes.fromhex(token)) != _TOKEN_BYTES:
        raise ValueError("not what was written")
    return Account(
        parse_invite(content["invite"], needs_secret=False),
        username,
        str(content["display_name"]),
        token,
        bool(content["joined"]),
    )
