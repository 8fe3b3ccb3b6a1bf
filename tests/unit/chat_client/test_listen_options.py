"""The command line of `listen`: where the options end and a command's arguments begin."""

from __future__ import annotations

import pytest

from chat_client.options import parse_options


@pytest.mark.parametrize(
    ("rest", "command"),
    [
        (["--exec", "cat"], ("cat",)),
        (["--exec=cat"], ("cat",)),
        (["--exec", "--", "cat"], ("cat",)),
        (["--exec", "bot", "--json", "--", "--log"], ("bot", "--json", "--", "--log")),
        (["--exec", "bot", "--help", "--version"], ("bot", "--help", "--version")),
        (["--exec", "bot", "--exec", "cat"], ("bot", "--exec", "cat")),
        (["--exec", "bot", "a b; rm *", ""], ("bot", "a b; rm *", "")),
        ([], ()),
    ],
)
def test_everything_behind_exec_is_the_commands(rest: list[str], command: tuple[str, ...]) -> None:
    """Also what is an option here, or the beginning of several."""
    options = parse_options(["listen", "--room", "garden", "--mentions", *rest])
    assert options.command == command
    assert (options.room, options.mentions, options.json) == ("garden", True, False)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["listen", "--exec"], "argument --exec: expected at least one argument"),
        (["listen", "--exec", "--"], "argument --exec: expected at least one argument"),
        (["listen", "--exec="], "argument --exec: expected at least one argument"),
        (["people", "--exec", "cat"], "--exec belongs to listen"),
        (["--exec", "cat", "listen"], "--exec belongs to listen"),
    ],
)
def test_a_command_line_that_makes_no_sense(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says why, and the status is 2."""
    with pytest.raises(SystemExit) as ended:
        parse_options(arguments)
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert why in err
    assert err.count("\n") == 1


def test_a_message_may_be_called_so() -> None:
    """Behind `--` it is a text."""
    assert parse_options(["send", "--", "--exec"]).text == "--exec"


def test_a_room_that_is_not_named_is_general() -> None:
    """Or all of them, which only the listening for mentions knows."""
    options = parse_options(["listen"])
    assert (options.room, options.one_room) == (None, "general")
    assert parse_options(["send", "--room", "garden", "hi"]).one_room == "garden"
    assert parse_options(["send", "--room", "", "hi"]).one_room == ""
