"""Keeping an account costs the disk something only when there is something new."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chat_client.accounts import Accounts, new_account
from chat_client.conversation import _never_joined
from chat_client.state import news
from chat_client.state.status import Link, Status
from common.domain.reasons import Reason
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


@pytest.mark.parametrize(
    ("code", "never"),
    [("name_taken", True), ("bad_secret", True), ("banned", False), ("busy", False), ("", False)],
)
def test_only_an_account_that_was_never_made_is_forgotten(code: str, never: bool) -> None:
    """Who is banned may have joined before, by a join whose answer was lost.

    Without the token the name would be nobody's when the ban is over.
    """
    account = new_account(INVITE, "ada", "Ada")
    refused = news.StatusChanged(Status(Link.REFUSED, Reason(code)), 0)
    assert _never_joined(account, refused) is never
    assert not _never_joined(replace(account, joined=True), refused)
