"""Invite links on the command line: whole, damaged, from a desktop, and which of it is secret."""

from __future__ import annotations

import io
import sys

import pytest

from chat_client.link_argument import secrets_among, without_secrets
from chat_client.options import Options, parse_options
from common.domain.invite import Invite

INVITE = Invite(("10.0.0.1",), 4711, b"f" * 32, "s" * 22, "Harbour")
LINK = INVITE.link()


@pytest.mark.parametrize(
    ("arguments", "from_outside"),
    [
        (["--join", LINK], False),
        ([f"--join={LINK}"], False),
        (["--open-link", LINK], True),
        ([f"--open-link={LINK}"], True),
        (["--open", LINK], True),
        (["--theme", "dark", "--open-link", LINK], True),
    ],
)
def test_a_whole_link(arguments: list[str], from_outside: bool) -> None:
    """By any way; the window knows whether somebody else may have written it."""
    options = parse_options(arguments)
    assert (options.join, options.damaged) == (INVITE, None)
    assert options.from_outside is from_outside


@pytest.mark.parametrize("arguments", [["--open-link"], ["--theme", "dark", "--open-link"]])
def test_a_desktop_entry_without_a_link_is_a_plain_start(arguments: list[str]) -> None:
    """Its %u stands for nothing when somebody clicks on the icon."""
    options = parse_options(arguments)
    assert (options.join, options.damaged, options.from_outside) == (None, None, False)


@pytest.mark.parametrize("text", ["chat://", "chat:harbour", "https://example.org/", "x" * 9999])
@pytest.mark.parametrize("way", ["--join", "--open-link", "environment"])
def test_a_damaged_link_is_for_the_window(
    text: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which shows it: an error on a terminal would be seen by nobody."""
    if way == "environment":
        monkeypatch.setenv("CHAT_INVITE", text)
    options = parse_options([] if way == "environment" else [way, text])
    assert options.join is None
    assert options.damaged is not None
    assert options.damaged.text == text
    assert options.damaged.problem


@pytest.mark.parametrize("arguments", [["send", "--join"], ["--join"], ["--join", "-"]])
def test_a_verb_has_nobody_who_looks(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a damaged link is an error with status 2, in one line."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"chat://x\n")))
    verb = [] if arguments[0] == "send" else ["rooms"]
    value = [] if arguments[-1] == "-" else ["chat://x"]
    with pytest.raises(SystemExit) as ended:
        parse_options([*arguments, *value, *verb])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert "argument --join: the invite link is incomplete" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "behind",
    [
        ["listen", "--exec", "rm", "-rf"],
        ["--data-dir", "/elsewhere"],
        ["--help"],
        ["--", "send"],
        ['"', "--theme", "dark"],
        ["--exec", "x"],
    ],
)
def test_nothing_behind_a_desktops_link_is_an_option(behind: list[str]) -> None:
    """On Windows a link with a quotation mark would otherwise bring arguments of its own."""
    options = parse_options(["--open-link", "chat://x", *behind])
    assert options.damaged is not None
    assert options.damaged.text == " ".join(["chat://x", *behind])
    assert options == Options(damaged=options.damaged, from_outside=True)


def test_a_desktops_link_may_come_by_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, with several lines, and whatever bytes it has."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"\n{LINK}\n".encode())))
    assert parse_options(["--open-link", "-"]).join == INVITE
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\nb\xff" + b"x" * 100_000)))
    damaged = parse_options(["--open-link", "-"]).damaged
    assert damaged is not None
    assert damaged.text.startswith("a\nb\ufffdx")
    assert len(damaged.text) == 65_536


def test_a_desktops_link_is_for_the_window(capsys: pytest.CaptureFixture[str]) -> None:
    """A verb has none."""
    with pytest.raises(SystemExit) as ended:
        parse_options(["send", "x", "--open-link", LINK])
    assert ended.value.code == 2
    assert "--open-link: it is for the window" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "secrets"),
    [
        (["--join", LINK], {LINK}),
        (["--joi", "damaged"], {"damaged"}),
        (["--jo=damaged", "send", "hello"], {"damaged"}),
        (["send", f"--join={LINK}"], {LINK, f"--join={LINK}"}),
        (["--open-link", "ab", "cd", "--theme"], {"ab", "cd", "--theme"}),
        (["--open-link=xyz", "cd"], {"xyz", "cd"}),
        (["send", "hello", "--name", "Ada", "--timeout", "5"], set()),
        (["listen", "--count", "12", "--code", "7XK4-9QRM"], {"7XK4-9QRM"}),
        (["CHAT://10.0.0.1:1/join"], {"CHAT://10.0.0.1:1/join"}),
        (["send", "see chat+plaintext://x"], {"see chat+plaintext://x"}),
        (["--join", "-"], set()),
        (["--join"], set()),
        (["-x", "--", "--theme"], set()),
    ],
)
def test_which_arguments_are_secret(arguments: list[str], secrets: set[str]) -> None:
    """Found before anything is parsed, and also what turns out to be damaged."""
    assert set(secrets_among(arguments)) == secrets


def test_the_environment_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest comes first, as one may be the end of another."""
    monkeypatch.setenv("CHAT_INVITE", "chat://environment")
    assert secrets_among(["--join", "chat://x"]) == ["chat://environment", "chat://x"]


@pytest.mark.parametrize(
    ("arguments", "rest"),
    [
        (["--theme", "dark", "--join", LINK, "--name", "x"], ["--theme", "dark", "--name", "x"]),
        (["--jo", LINK, "--name", "Ada"], ["--name", "Ada"]),
        ([f"--join={LINK}", "--name=Ada"], ["--name=Ada"]),
        (["--name", "Ada", "--open-link", LINK, "--more"], ["--name", "Ada"]),
        (["--join"], []),
    ],
)  # fmt: skip
def test_a_start_without_its_link(arguments: list[str], rest: list[str]) -> None:
    """Everything else is as it was."""
    assert without_secrets(arguments) == rest


@pytest.mark.parametrize(
    "arguments",
    [
        [LINK],
        ["--theme", LINK],
        ["--theme", "dark", LINK],
        ["--data-dir", "x", LINK.replace("chat:", "CHAT:")],
        ["listen", "--timeout", LINK],
        ["listen", LINK],
        ["rooms", f"--count={LINK}"],
    ],
)
def test_a_link_where_none_belongs_is_not_repeated(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """It has a secret, and what a program says goes into logs and into questions to others."""
    with pytest.raises(SystemExit) as ended:
        parse_options(arguments)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.count("\n") == 1
    assert "secret" not in said
    assert INVITE.secret not in said


def test_a_link_alone_is_told_where_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    """As people type it who have copied it."""
    with pytest.raises(SystemExit):
        parse_options([LINK])
    assert "an invite link stands behind --join" in capsys.readouterr().err
