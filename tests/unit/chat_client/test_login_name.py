"""The name that the join screen proposes."""

from __future__ import annotations

import pytest

from chat_client.login_name import login_name, propose


@pytest.mark.parametrize(
    ("login", "full", "name"),
    [
        ("ada", "Ada Lovelace", "Ada Lovelace"),
        ("ada", "Ada Lovelace,Room 7,555-1234,", "Ada Lovelace"),
        ("ada", "  Ada   Lovelace ", "Ada Lovelace"),
        ("ada", "& Lovelace", "Ada Lovelace"),
        ("ada", "ada lovelace", "Ada Lovelace"),
        ("ada", "Łucja Dvořák", "Łucja Dvořák"),
        ("ada", "", "Ada"),
        ("ada", ",,,", "Ada"),
        ("ada", "x", "Ada"),
        ("mcCarthy", "", "mcCarthy"),
        ("ada.lovelace", "", "Ada.lovelace"),
        ("OFFICE\\ada", "", "Ada"),
        ("ada", "Debian Live user", "Ada"),
        ("user", "Debian Live user", ""),
        ("root", "root", ""),
        ("root", "Ada Lovelace", "Ada Lovelace"),
        ("Administrator", "", ""),
        ("guest", "Guest", ""),
        ("ada", "a" * 65, "Ada"),
        ("1000", "", ""),
    ],
)
def test_a_name_is_proposed(login: str, full: str, name: str) -> None:
    """The full name where it is one of a person, else the login; never an office's."""
    assert propose(login, full) == name


def test_this_computers_login_is_asked_for() -> None:
    """Whatever runs the tests, it is answered."""
    assert login_name() == login_name().strip()
