"""What a start does when there are windows: which of them is asked, for what, and when none is."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from chat_client import second_start
from chat_client.accounts import Accounts, new_account
from chat_client.link_argument import DamagedLink
from chat_client.options import Name, Options
from chat_client.second_start import hand_over_start, start_without_arguments
from common.domain.invite import Invite
from common.system.open_windows import OpenWindow, announce
from common.system.second_start import Request

HARBOUR = Invite(("10.0.0.1",), 4711, b"f" * 32, "s" * 22, "Harbour")
MARKET = Invite(("10.0.0.2",), 4711, b"g" * 32, "t" * 22, "Market")
ADA, BRUNO = Name("ada", "Ada"), Name("bruno", "Bruno")
PLAIN = Options()
Ask = tuple[str, Request]


class Desk:
    """A data folder with accounts, and windows that take what they can."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.windows: list[OpenWindow] = []
        self.asked: list[Ask] = []
        self.hang: set[str] = set()
        """The windows that don't answer."""

    def joined(self, invite: Invite, name: Name) -> str:
        """Have an account, which is the one used last; its key."""
        accounts = Accounts(self.folder)
        account = new_account(invite, *name).confirmed(*name)
        accounts.save(account)
        return account.key

    def open(self, account: str = "") -> str:
        """Have a window open, which is used less than those before; its name."""
        name = f"{len(self.windows)}.json"
        self.windows.append(OpenWindow(name, 1, b"", account, 0))
        return name

    def start(self, options: Options = PLAIN) -> Options | None:
        """Start the program."""
        own = announce(self.folder)
        assert own is not None
        try:
            return hand_over_start(options, self.folder, own)
        finally:
            own.remove()

    def hand_over(self, windows: list[OpenWindow], request: Request) -> bool:
        """As a window does (chat_client/window/other_starts.py)."""
        for window in windows:
            self.asked.append((window.name, request))
            takes = request.link is not None or request.account == window.account
            if takes and window.name not in self.hang:
                return True
        return False


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """One on which nothing is open."""
    desk = Desk(tmp_path)
    monkeypatch.setattr(second_start, "wait_for_windows", lambda *_: desk.windows)
    monkeypatch.setattr(second_start, "hand_over", desk.hand_over)
    monkeypatch.setenv("DESKTOP_STARTUP_ID", "id_TIME5")
    return desk


def test_a_link_goes_to_the_window_used_last(desk: Desk) -> None:
    """Whatever account it has open; with the token for coming to the front."""
    ada = desk.joined(HARBOUR, ADA)
    name = desk.open(ada)
    desk.open()
    assert desk.start(Options(join=MARKET)) is None
    assert desk.asked == [(name, Request(MARKET.link(), "", "id_TIME5"))]


def test_a_damaged_link_goes_there_too(desk: Desk) -> None:
    """As it was given."""
    desk.joined(HARBOUR, ADA)
    name = desk.open()
    assert desk.start(Options(damaged=DamagedLink("chat:x", "no"), from_outside=True)) is None
    assert desk.asked == [(name, Request("chat:x", "", "id_TIME5"))]


def test_a_link_to_a_known_chat_goes_to_its_window(desk: Desk) -> None:
    """Not to the one used last, which would have to leave its own conversation."""
    ada, bruno = desk.joined(HARBOUR, ADA), desk.joined(MARKET, BRUNO)
    desk.open(bruno)
    name = desk.open(ada)
    assert desk.start(Options(join=HARBOUR, from_outside=True)) is None
    assert desk.asked == [(name, Request(HARBOUR.link(), ada, "id_TIME5"))]


def test_the_account_that_is_open_is_raised(desk: Desk) -> None:
    """By a plain start, and by one with its name."""
    ada = desk.joined(HARBOUR, ADA)
    name = desk.open(ada)
    for options in (Options(), Options(name=ADA), Options(join=HARBOUR, login_name=True)):
        desk.asked.clear()
        assert desk.start(options) is None
        link = options.join.link() if options.join else None
        assert desk.asked == [(name, Request(link, ada, "id_TIME5"))]


def test_another_account_opens_a_window_of_its_own(desk: Desk) -> None:
    """With its name; and a plain start offers those that are not open."""
    ada = desk.joined(MARKET, BRUNO), desk.joined(HARBOUR, ADA)
    desk.open(ada[1])
    assert desk.start(Options(name=BRUNO)) == Options(name=BRUNO)
    assert desk.start(Options(name=Name("carla", "Carla"), join=HARBOUR)) is not None
    assert desk.start() == Options(new_window=True)
    assert desk.asked == []
    # All of them are open.
    desk.open(ada[0])
    assert desk.start() is None
    assert [name for name, _ in desk.asked] == ["0.json"]


def test_the_account_used_last_is_not_open(desk: Desk) -> None:
    """A plain start opens it, as ever."""
    bruno, _ = desk.joined(MARKET, BRUNO), desk.joined(HARBOUR, ADA)
    desk.open(bruno)
    assert desk.start() == Options()
    assert desk.asked == []


def test_an_empty_join_screen_is_raised(desk: Desk) -> None:
    """Two clicks of somebody who has no account yet make one window."""
    name = desk.open()
    assert desk.start() is None
    assert desk.asked == [(name, Request(None, "", "id_TIME5"))]


def test_somebody_who_joins_by_name_gets_a_window(desk: Desk) -> None:
    """As the host's button does, and whoever writes a name on the command line."""
    desk.open()
    for options in (
        Options(join=HARBOUR, login_name=True),
        Options(join=HARBOUR, name=ADA),
        Options(name=ADA),
    ):
        assert desk.start(options) == options
    assert desk.asked == []


@pytest.mark.parametrize(
    "options",
    [PLAIN, Options(join=HARBOUR, from_outside=True), Options(damaged=DamagedLink("x", "no"))],
)
def test_windows_that_hang_are_not_relied_upon(desk: Desk, options: Options) -> None:
    """Then there is a window here, which says what is to be said."""
    ada = desk.joined(HARBOUR, ADA)
    desk.hang.add(desk.open(ada))
    assert desk.start(options) == options
    assert desk.asked


def test_damaged_accounts_are_the_windows_to_tell(desk: Desk) -> None:
    """The start opens one; a link still goes where it can be shown."""
    key = desk.joined(HARBOUR, ADA)
    (desk.folder / "accounts" / key / "account.json").write_text("{")
    name = desk.open(key)
    assert desk.start(Options(join=HARBOUR)) is None
    assert desk.asked == [(name, Request(HARBOUR.link(), "", "id_TIME5"))]
    assert desk.start(Options(name=ADA)) == Options(name=ADA)


class Started:
    """The program as it is started once more."""

    def __init__(self) -> None:
        self.command: list[str] = []
        self.typed = b""

    def popen(self, command: list[str], **_: object) -> Started:
        """Start it."""
        self.command = command

        class Pipe(io.BytesIO):
            def close(pipe) -> None:  # noqa: N805  # the outer one is self
                self.typed = pipe.getvalue()
                super().close()

        self.stdin = Pipe()
        return self


@pytest.mark.parametrize(
    ("options", "arguments", "expected", "typed"),
    [
        (
            Options(join=HARBOUR, name=ADA),
            ["--join", "chat://x", "--name", "Ada"],
            ["--name", "Ada", "--join", "-"],
            HARBOUR.link(),
        ),
        (
            Options(join=HARBOUR, from_outside=True),
            ["--theme", "dark", "--open-link", "chat://x"],
            ["--theme", "dark", "--open-link", "-"],
            HARBOUR.link(),
        ),
        (
            Options(damaged=DamagedLink("chat:\ud800 ä", "no")),
            ["--join=chat:\ud800 ä"],
            ["--open-link", "-"],
            "chat:? ä",
        ),
    ],
)
def test_the_link_goes_by_a_pipe(
    options: Options,
    arguments: list[str],
    expected: list[str],
    typed: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a single file's loader shows it: in no argument, and in no environment."""
    started = Started()
    monkeypatch.setattr(subprocess, "Popen", started.popen)
    start_without_arguments(options, arguments)
    assert started.command[1:] == expected
    assert started.typed == typed.encode()
