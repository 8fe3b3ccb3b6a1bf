"""How verbs are told to join without an invite."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from chat_client.link_argument import secrets_among
from chat_client.options import parse_options
from common.system.process import INVITE_VARIABLE

LINK = "chat://192.0.2.9:12345/join?fp=" + "A" * 43 + "&secret=" + "s" * 22 + "&name=Home"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("192.0.2.9", ("192.0.2.9", 12345)),
        ("192.0.2.9:7", ("192.0.2.9", 7)),
        ("[fe80::9%eth0]:7", ("fe80::9%eth0", 7)),
        ("nas.local", ("nas.local", 12345)),
    ],
)
def test_an_address_is_taken_as_people_type_it(text: str, at: tuple[str, int]) -> None:
    """With a port, or that of every server."""
    options = parse_options(["send", "--at", text, "--ask", "--name", "Ada", "hello"])
    assert (options.at, options.ask, options.code) == (at, True, None)


@pytest.mark.parametrize("typed", ["K7QM-3XPA", "k7qm3xpa", " k7qm 3xpa "])
def test_a_code_is_taken_as_people_type_it(typed: str) -> None:
    """Each verb may join by it."""
    for verb in ("send", "listen", "rooms", "people"):
        options = parse_options([verb, "--at", "192.0.2.9", "--code", typed])
        assert options.code == "K7QM3XPA"


def test_a_code_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its first line: the message may follow."""
    typed = io.BytesIO(b"K7QM-3XPA\nhello\n")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=typed))
    options = parse_options(["send", "--at", "192.0.2.9", "--code", "-"])
    assert options.code == "K7QM3XPA"
    assert typed.read() == b"hello\n"


def test_a_code_is_kept_from_the_list_of_processes() -> None:
    """However it was written."""
    for arguments in (["--code", "K7QM-3XPA"], ["--code=K7QM-3XPA"], ["--cod", "K7QM-3XPA"]):
        assert secrets_among(["send", "--at", "192.0.2.9", *arguments]) == ["K7QM-3XPA"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--ask"], "--ask needs --at HOST"),
        (["--code", "K7QM3XPA"], "--code needs --at HOST"),
        (["--at", "192.0.2.9", "--code", "K7QM3XPA", "--ask"], "use --code or --ask, not both"),
        (["--at", "192.0.2.9", "--ask", "--join", LINK], "an invite says where its server is"),
        (["--at", "192.0.2.9", "--code", "K7QM3XP"], "a code has 8 letters and digits"),
        (["--at", "192.0.2.9", "--code", "K7QM3XPAA"], "a code has 8 letters and digits"),
        (["--at", "192.168.1", "--ask"], "an address has four numbers"),
        (["--at", "192.0.2.9:0", "--ask"], "a port is a number"),
    ],
)
def test_what_does_not_belong_together_is_told(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, and with status 2."""
    with pytest.raises(SystemExit) as ended:
        parse_options(["send", *arguments, "hello"])
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_an_invite_in_the_environment_is_one_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not silently left aside."""
    monkeypatch.setenv(INVITE_VARIABLE, LINK)
    with pytest.raises(SystemExit):
        parse_options(["send", "--at", "192.0.2.9", "--ask", "hello"])
    assert "an invite says where" in capsys.readouterr().err
