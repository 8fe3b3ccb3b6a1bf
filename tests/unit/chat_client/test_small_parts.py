"""The client's accounts on disk and its command line."""

from __future__ import annotations

import json
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chat_client.accounts import AccountError, Accounts, new_account
from chat_client.options import Name, Options, name_of, parse_options
from chat_client.state.account import Account, server_key
from common.domain.invite import Invite
from tests.unit.chat_client.desk import INVITE

OTHER = replace(INVITE, fingerprint=b"\1" * 32, server_name="Elsewhere")
ADA = replace(new_account(INVITE, "ada", "Ada Ä. 🎉"), joined=True)


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    """A data folder that is not there yet."""
    return Accounts(tmp_path / "data")


def test_an_account_comes_back_as_it_was_saved(accounts: Accounts) -> None:
    """Every field, and a saved one replaces its former self."""
    accounts.save(ADA)
    assert accounts.all() == [ADA]
    changed = replace(ADA, display_name="Ada", invite=replace(INVITE, hosts=("192.0.2.8",)))
    accounts.save(changed)
    assert accounts.all() == [changed]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists, no modes")
def test_tokens_are_for_their_owner_only(accounts: Accounts) -> None:
    """0600 for the file, 0700 for every folder above it that is ours."""
    accounts.save(ADA)
    folder = accounts.folder(ADA)
    modes = [
        stat.S_IMODE(path.stat().st_mode)
        for path in (folder / "account.json", folder, folder.parent, folder.parent.parent)
    ]
    assert modes == [0o600, 0o700, 0o700, 0o700]


def test_the_account_used_last_comes_first(accounts: Accounts) -> None:
    """Whatever the order of names; a missing or strange note of it changes nothing else."""
    bob, cem = (replace(new_account(INVITE, name, name), joined=True) for name in ("bob", "cem"))
    for account in (bob, ADA, cem, bob):
        accounts.save(account)
    assert [account.username for account in accounts.all()] == ["bob", "ada", "cem"]
    (accounts.folder(bob).parents[1] / "last").write_bytes(b"\xff nonsense")
    assert [account.username for account in accounts.all()] == ["ada", "bob", "cem"]


def test_the_account_that_is_meant(accounts: Accounts) -> None:
    """By server, by username, by both, or the one used last; an unconfirmed one only by both."""
    there = replace(new_account(OTHER, "ada", "Ada"), joined=True)
    unconfirmed = new_account(INVITE, "bob", "Bob")
    for account in (ADA, there, unconfirmed):
        accounts.save(account)
    new_address = replace(INVITE, hosts=("192.0.2.99",), secret="t" * 22)
    assert accounts.find(new_address, None) == ADA
    assert accounts.find(OTHER, "ada") == there
    assert accounts.find(None, "bob") is None
    assert accounts.find(INVITE, "bob") == unconfirmed
    assert accounts.find(INVITE, "cem") is None
    accounts.save(there)
    assert accounts.find(None, None) == there
    accounts.remove(unconfirmed)
    accounts.remove(unconfirmed)
    assert accounts.find(INVITE, "bob") is None


def test_no_accounts_is_no_error(accounts: Accounts) -> None:
    """As at the very first start."""
    assert accounts.all() == []
    assert accounts.find(None, None) is None


WHOLE = {
    "format": 1,
    "invite": INVITE.link(),
    "username": "ada",
    "display_name": "Ada",
    "token": "1" * 64,
    "joined": True,
}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        json.dumps({**WHOLE, "format": 2}).encode(),
        json.dumps({**WHOLE, "invite": "chat://"}).encode(),
        json.dumps({**WHOLE, "invite": None}).encode(),
        json.dumps({**WHOLE, "token": "1" * 63}).encode(),
        json.dumps({**WHOLE, "username": "../../ada"}).encode(),
        *(
            json.dumps({key: value for key, value in WHOLE.items() if key != missing}).encode()
            for missing in WHOLE
        ),
    ],
)
def test_a_damaged_account_is_told(accounts: Accounts, content: bytes) -> None:
    """With its path and what to do, instead of a traceback later; the file stays as it is."""
    accounts.save(ADA)
    path = accounts.folder(ADA) / "account.json"
    path.write_bytes(content)
    with pytest.raises(AccountError, match=r"account\.json"):
        accounts.all()
    assert path.read_bytes() == content


def test_new_accounts_have_tokens_of_their_own() -> None:
    """256 random bits each."""
    tokens = {new_account(INVITE, "ada", "Ada").token for _ in range(5)}
    assert len(tokens) == 5
    assert {len(token) for token in tokens} == {64}


def test_a_server_is_known_by_its_certificate() -> None:
    """Another address, secret or name is the same server; another certificate is not."""
    moved = Invite(("host.example",), 9, INVITE.fingerprint, "t" * 22, "New name")
    assert server_key(moved) == server_key(INVITE) != server_key(OTHER)
    plain = replace(INVITE, fingerprint=None)
    assert server_key(plain) != server_key(replace(plain, port=9))
    assert Account(INVITE, "ada", "Ada", "1" * 64).key == f"ada@{'0' * 16}"


# The command line


def test_without_a_verb_there_is_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A double click asks for nothing."""
    monkeypatch.setattr(sys, "argv", ["ChatClient"])
    assert parse_options() == Options()


@pytest.mark.parametrize("before", [True, False])
def test_common_options_stand_before_or_after_the_verb(before: bool) -> None:
    """As people type them."""
    common = ["--join", INVITE.link(), "--name", "Ada L.", "--data-dir", "d", "--log-level", "info"]
    verb = ["rooms", "--json", "--timeout", "3"]
    options = parse_options([*common, *verb] if before else [*verb, *common])
    assert options == Options(
        verb="rooms",
        join=INVITE,
        name=Name("ada.l", "Ada L."),
        data_dir=Path("d"),
        log_level="info",
        json=True,
        timeout=3.0,
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["send", "hello"], Options(verb="send", text="hello")),
        (["send"], Options(verb="send")),
        (["send", "--lines", "--room", "@bob"], Options(verb="send", lines=True, room="@bob")),
        (["listen", "--count", "2"], Options(verb="listen", limit=2)),
        (["listen", "--after", "0", "--json"], Options(verb="listen", after=0, json=True)),
        (["people"], Options(verb="people")),
        (["--theme", "dark"], Options(theme="dark")),
        (["--name", "Ada L.", "--username", "Ada2"], Options(name=Name("ada2", "Ada L."))),
        (["--name", "🎉", "--username", "ada"], Options(name=Name("ada", "🎉"))),
        (["people", "--username", "ada"], Options(verb="people", name=Name("ada", "ada"))),
        # An account from before the name was reserved.
        (["people", "--username", "host"], Options(verb="people", name=Name("host", "host"))),
    ],
)
def test_each_verb(arguments: list[str], expected: Options) -> None:
    """What is not given keeps its default."""
    assert parse_options(arguments) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ["shout"],
        ["--join", "https://example.org", "rooms"],
        ["--name", "🎉"],
        ["--name", "Host"],
        ["--username", "Ada L."],
        ["--name", " "],
        ["listen", "--count", "0"],
        ["listen", "--count", "-1"],
        ["listen", "--after", "1" * 16],
        ["listen", "--after", "٣"],
        ["send", "two", "texts"],
        ["rooms", "--timeout", "soon"],
        ["rooms", "--timeout", "nan"],
        ["--name", "x" * 65],
        ["--name", "bell\x07"],
        ["rooms", "--timeout", "-1"],
        ["--theme", "pink"],
    ],
)
def test_wrong_options_end_with_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """And say in a line what is wrong."""
    with pytest.raises(SystemExit) as ended:
        parse_options(arguments)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("ChatClient")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Ada", Name("ada", "Ada")),
        (" Ada  Lindqvist ", Name("ada.lindqvist", "Ada Lindqvist")),
        ("ada.l", Name("ada.l", "ada.l")),
        ("Łukasz", Name("lukasz", "Łukasz")),
        ("李", Name("li", "李")),
        ("🎉", None),
        ("", None),
    ],
)
def test_a_name_gives_a_username(typed: str, name: Name | None) -> None:
    """The display name is what was typed; the username follows from it, if it can."""
    assert name_of(typed) == name
