"""Keeping an account costs the disk something only when there is something new."""

from __future__ import annotations

from pathlib import Path

from chat_client.accounts import Accounts, new_account
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
