"""Keeping an account costs the disk something only when there is something new."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from chat_client.accounts import Accounts, new_account
from chat_client.conversation import UsageError, _never_joined, account_for
from chat_client.open_account import OpenAccount
from chat_client.options import parse_options
from chat_client.state import news
from chat_client.state.status import Link, Status
from common.domain.invite import Invite
from common.domain.reasons import Reason
from common.system.private_files import FolderInUseError
from tests.unit.chat_client.desk import INVITE


def test_what_is_kept_already_is_not_written_again(tmp_path: Path) -> None:
    """Each sign-in tells the account again; the same files stay in their places."""
    accounts = Accounts(tmp_path)
    account = new_account(INVITE, "ada", "Ada").confirmed("ada", "Ada")
    accounts.save(account)
    kept = accounts.folder(account) / "account.json", tmp_path / "last"
    before = [path.stat().st_ino for path in kept]
    accounts.save(account)
    assert [path.stat().st_ino for path in kept] == before


def test_what_is_new_is_written(tmp_path: Path) -> None:
    """Another name, and another account used last."""
    accounts = Accounts(tmp_path)
    ada = new_account(INVITE, "ada", "Ada").confirmed("ada", "Ada")
    bob = new_account(INVITE, "bob", "Bob").confirmed("bob", "Bob")
    accounts.save(ada)
    accounts.save(bob)
    accounts.save(ada.confirmed("ada", "Ada Lovelace"))
    assert [each.display_name for each in accounts.all()] == ["Ada Lovelace", "Bob"]


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    """What stands there is compared whole."""
    accounts = Accounts(tmp_path)
    account = new_account(INVITE, "ada", "Ada").confirmed("ada", "Ada")
    accounts.save(account)
    (accounts.folder(account) / "account.json").write_text("{")
    accounts.save(account)
    assert accounts.all() == [account]


def test_what_is_open_elsewhere_is_not_changed(tmp_path: Path) -> None:
    """A second window with another invite is refused, and the first one keeps its own."""
    accounts = Accounts(tmp_path)
    ada = new_account(INVITE, "ada", "Ada").confirmed("ada", "Ada")
    bob = new_account(INVITE, "bob", "Bob").confirmed("bob", "Bob")
    first = OpenAccount(accounts, ada, lambda _: None)
    accounts.save(bob)
    elsewhere = ada.with_invite(replace(INVITE, hosts=("192.0.2.99",), secret="x" * 22))
    with pytest.raises(FolderInUseError):
        OpenAccount(accounts, elsewhere, lambda _: None)
    assert accounts.all() == [bob, ada]  # nor is it the one used last
    first.close()
    OpenAccount(accounts, elsewhere, lambda _: None).close()
    assert accounts.all() == [elsewhere, bob]


def test_an_account_that_cannot_be_saved_is_not_left_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be opened as soon as that is possible."""
    accounts = Accounts(tmp_path)
    ada = new_account(INVITE, "ada", "Ada")
    with monkeypatch.context() as patch:
        patch.setattr(accounts, "save", Mock(side_effect=OSError(28, "No space left")))
        with pytest.raises(OSError, match="No space left"):
            OpenAccount(accounts, ada, lambda _: None)
    OpenAccount(accounts, ada, lambda _: None).close()


@pytest.mark.parametrize("invite", [replace(INVITE, secret=""), replace(INVITE, username="ada")])
def test_every_kind_of_invite_is_kept(tmp_path: Path, invite: Invite) -> None:
    """Of a chat where nobody needs a secret, and for one more device."""
    accounts = Accounts(tmp_path)
    account = accounts.new(invite, "ada", "Ada")
    accounts.save(account)
    assert accounts.all() == [account]
    # Once it was used it is no longer for a device.
    accounts.save(account.confirmed("ada", "Ada"))
    (kept,) = accounts.all()
    assert kept.invite == replace(invite, username="")


def test_chats_without_secrets_are_not_taken_for_one(tmp_path: Path) -> None:
    """An account may be of a chat that has a new identity, not of any where one needs no secret."""
    accounts = Accounts(tmp_path)
    open_chat = replace(INVITE, secret="")
    accounts.save(accounts.new(open_chat, "ada", "Ada").confirmed("ada", "Ada"))
    other = replace(open_chat, fingerprint=b"x" * 32, server_name="Elsewhere")
    assert accounts.former(other, "ada") is None
    same_name = replace(other, server_name=open_chat.server_name)
    assert accounts.former(same_name, "ada") == accounts.all()[0]


def test_an_invite_for_a_device_is_joined_with_under_its_name(tmp_path: Path) -> None:
    """No name is asked for; another one is refused before anything is sent."""
    accounts = Accounts(tmp_path)
    link = replace(INVITE, username="ada").link()
    account = account_for(parse_options(["send", "--join", link, "hi"]), accounts)
    assert (account.username, account.joined) == ("ada", False)
    same = account_for(parse_options(["send", "--join", link, "--name", "Ada", "hi"]), accounts)
    assert same.username == "ada"
    with pytest.raises(UsageError, match="adds a device to ada’s account"):
        account_for(parse_options(["send", "--join", link, "--name", "Eve", "hi"]), accounts)


def test_an_invite_for_a_device_brings_an_account_back(tmp_path: Path) -> None:
    """The one that is there keeps its folder, with everything in it, and its token until then."""
    accounts = Accounts(tmp_path)
    ada = accounts.new(INVITE, "ada", "Ada").confirmed("ada", "Ada")
    accounts.save(ada)
    link = replace(INVITE, username="ada", secret="t" * 22).link()
    account = account_for(parse_options(["send", "--join", link, "hi"]), accounts)
    assert (account.token, account.folder, account.joined) == (ada.token, ada.key, True)
    assert (account.invite.username, account.invite.secret) == ("ada", "t" * 22)


@pytest.mark.parametrize(
    ("code", "never"),
    [
        ("name_taken", True),
        ("bad_secret", True),
        ("banned", False),
        ("busy", False),
        ("", False),
        ("invite_used", True),
        ("invite_expired", True),
        ("invite_needed", True),
        ("ask_first", True),
        ("too_many_devices", True),
        ("device_removed", False),
    ],
)
def test_only_an_account_that_was_never_made_is_forgotten(code: str, never: bool) -> None:
    """Who is banned may have joined before, by a join whose answer was lost.

    Without the token the name would be nobody's when the ban is over.
    """
    account = new_account(INVITE, "ada", "Ada")
    refused = news.StatusChanged(Status(Link.REFUSED, Reason(code)), 0)
    assert _never_joined(account, refused) is never
    assert not _never_joined(replace(account, joined=True), refused)


def test_a_deleted_account_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither its copies nor what it is found by; another one stays, and is the next to open."""
    accounts = Accounts(tmp_path)
    ada = new_account(INVITE, "ada", "Ada").confirmed("ada", "Ada")
    bob = new_account(INVITE, "bob", "Bob").confirmed("bob", "Bob")
    for account in (bob, ada):
        accounts.save(account)
        (accounts.folder(account) / "cache.db").write_bytes(b"copies")
    accounts.delete(ada)
    assert not accounts.folder(ada).exists()
    assert [each.username for each in accounts.all()] == ["bob"]
    found = accounts.find(None, None)
    assert found is not None
    assert found.username == "bob"
    with pytest.raises(FileNotFoundError):
        accounts.delete(ada)
