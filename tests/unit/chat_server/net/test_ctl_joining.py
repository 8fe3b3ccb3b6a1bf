"""The verbs of ``ctl`` about joining, as somebody at a terminal uses them, with guests that ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chat_server import ctl
from chat_server.options import parse_options
from chat_server.service import Server
from common.domain.invite import parse_invite
from common.protocol import messages
from tests.process.newcomer import Newcomer

Captured = pytest.CaptureFixture[str]


class Terminal:
    """A terminal beside a server, and the guests of it."""

    def __init__(self, folder: Path, capsys: Captured) -> None:
        options = parse_options(["--headless", "--host", "127.0.0.1", "--port", "0"])
        self._folder, self._capsys = folder, capsys
        self.server = Server(options, folder, lambda _: None)
        self.server.start()
        self._guests: list[Newcomer] = []

    def stop(self) -> None:
        """Disconnect everybody."""
        for guest in self._guests:
            guest.close()
        self.server.stop()

    def guest(self, username: str, name: str = "") -> Newcomer:
        """Somebody who has connected."""
        assert self.server.running is not None
        guest = Newcomer(parse_invite(self.server.running.invite), username, name=name)
        self._guests.append(guest)
        return guest

    def joined(self, username: str, name: str = "") -> Newcomer:
        """Somebody who has joined."""
        assert self.server.running is not None
        guest = self.guest(username, name)
        secret = parse_invite(self.server.running.invite).secret
        assert isinstance(guest.join(secret), messages.SignedIn)
        return guest

    def run(self, *order: str) -> tuple[int, str, str]:
        """The status of a command, and what it printed."""
        try:
            status = ctl.main([order[0], "--data-dir", str(self._folder), *order[1:]])
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = self._capsys.readouterr()
        return status, said.out, said.err

    def out(self, *order: str) -> list[str]:
        """What a command prints that works, line by line."""
        status, out, _ = self.run(*order)
        assert status == 0
        return out.splitlines()

    def json(self, *order: str) -> list[dict[str, Any]]:
        """The same as objects."""
        return [json.loads(line) for line in self.out(*order, "--json")]

    def fails(self, *order: str) -> str:
        """What a command says that is refused, which is one line."""
        status, out, err = self.run(*order)
        assert (status, out, err.count("\n")) == (1, "", 1), (status, out, err)
        return err.removeprefix("ChatServer ctl: ").rstrip("\n")


@pytest.fixture
def terminal(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    """One whose server runs."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr("chat_server.service.sys.setswitchinterval", lambda _: None)
    made = Terminal(tmp_path / "data", capsys)
    yield made
    made.stop()


def test_requests_are_listed_and_answered(terminal: Terminal) -> None:
    """By number; once, and not under one that nobody has."""
    guests = [terminal.guest(name) for name in ("ada", "ben", "eve")]
    digits = [guest.knock() for guest in guests]
    listed = terminal.json("requests")
    assert [(each["username"], each["digits"]) for each in listed] == [
        *zip(("ada", "ben", "eve"), digits, strict=True)
    ]
    ada, ben, eve = (str(each["request"]) for each in listed)
    columns = terminal.out("requests")[0].split("\t")
    assert columns[:6] == [ada, digits[0], "ada", "Ada", "Laptop, Linux", "127.0.0.1"]
    nobody = "nobody is asking to join under this number any more"
    assert terminal.fails("admit", "1") == nobody
    assert terminal.out("admit", ada, "--role", "moderator") == []
    answer = guests[0].answer()
    assert answer.code == "admitted"
    assert isinstance(guests[0].join(answer.secret), messages.SignedIn)
    assert terminal.json("people")[0]["role"] == "moderator"
    for verb in ("admit", "deny"):
        assert terminal.fails(verb, ada) == nobody
    assert terminal.out("deny", ben) == []
    assert guests[1].answer().code == "refused"
    assert terminal.out("deny", eve, "--block") == []
    assert guests[2].answer().code == "blocked"
    assert terminal.fails("deny", eve, "--block") == nobody
    assert terminal.out("requests") == []


def test_a_request_that_is_withdrawn_is_nobodys(terminal: Terminal) -> None:
    """Also if it was on the screen a moment ago, and another one came after it."""
    first = terminal.guest("ada")
    first.knock()
    (listed,) = terminal.json("requests")
    first.withdraw()
    terminal.guest("eve").knock()
    assert "nobody is asking" in terminal.fails("admit", str(listed["request"]))
    assert [each["username"] for each in terminal.json("requests")] == ["eve"]


def test_whose_name_looks_the_same_is_said(terminal: Terminal) -> None:
    """In words at the end of the line, and as usernames in JSON."""
    terminal.joined("ada", "Ada Lindqvist")
    terminal.guest("ada2", "Ada Lindqvist").knock()
    (line,) = terminal.out("requests")
    assert line.endswith("\ta member has this name or one like it: @ada")
    assert terminal.json("requests")[0]["members_alike"] == ["ada"]


def test_whoever_was_blocked_is_listed_and_freed(terminal: Terminal) -> None:
    """The ban and what is held of the address, by one command."""
    eve = terminal.guest("eve")
    eve.knock()
    terminal.out("deny", str(terminal.json("requests")[0]["request"]), "--block")
    assert eve.answer().code == "blocked"
    (ban,) = terminal.json("sanctions")
    assert (ban["kind"], ban["username"]) == ("ban", None)
    assert "@eve" in ban["device"]
    assert terminal.out("unban", str(ban["number"])) == []
    assert terminal.fails("unban", str(ban["number"])) == "there is no such ban or mute"
    assert terminal.out("sanctions") == []
    eve.knock()
    assert len(terminal.out("requests")) == 1


def test_a_code_is_printed_and_ended(terminal: Terminal) -> None:
    """The same one as long as it is valid; to end it twice is no fault."""
    (code,) = terminal.out("code")
    assert terminal.json("code", "show")[0]["code"] == code
    invited = terminal.guest("ada").code(code.replace("-", ""))
    assert isinstance(invited, messages.Invited)
    for _ in range(2):
        assert terminal.out("code", "end") == []
    refused = terminal.guest("ben").code(code.replace("-", ""))
    assert isinstance(refused, messages.Error)


def test_a_code_for_a_device_is_marked_as_such(terminal: Terminal) -> None:
    """Whoever gets it signs in as that person."""
    terminal.joined("ada")
    status, out, err = terminal.run("code", "--username", "ada")
    assert (status, len(out.strip())) == (0, 9)
    assert "adds one device to @ada’s account" in err
    assert terminal.fails("code", "--username", "nobody") == "nobody here is called nobody"
    assert "without --username" in terminal.fails("code", "end", "--username", "ada")
    assert terminal.out("code", "end") == []


@pytest.mark.parametrize("order", [["code"], ["invite"], ["invite", "new"], ["create-invite"]])
def test_what_lets_nobody_in_is_said_with_it(terminal: Terminal, order: list[str]) -> None:
    """Where all newcomers have to ask; on standard error, so that a script gets the link alone."""
    assert terminal.run(*order)[2] == ""
    assert terminal.out("joining", "ask")
    status, out, err = terminal.run(*order)
    assert (status, out.count("\n")) == (0, 1)
    assert err == (
        "ChatServer ctl: it lets nobody in now: new people have to ask (“ctl joining”)\n"
    )


def test_invites_are_made_listed_and_revoked(terminal: Terminal) -> None:
    """The standing link is number 0, which is replaced and not revoked."""
    (made,) = terminal.json(
        "create-invite", "--role", "moderator", "--uses", "3", "--expires", "never",
        "--note", " For  the\nchoir ",
    )  # fmt: skip
    assert made["expires"] is None
    assert parse_invite(made["link"]).secret
    listed = terminal.json("invites")
    assert [each["number"] for each in listed] == [made["number"], 0]
    facts = listed[0]
    assert (facts["role"], facts["most_uses"], facts["note"]) == ("moderator", 3, "For the choir")
    number = str(made["number"])
    for _ in range(2):  # one that has ended stays as it is
        assert terminal.out("revoke", number) == []
    assert [each["number"] for each in terminal.json("invites")] == [0]
    assert [each["ended"] for each in terminal.json("invites", "--all")] == ["revoked", None]
    assert terminal.fails("revoke", "77") == "there is no such invite"
    status, _, err = terminal.run("revoke", "0")
    assert status == 2
    assert "ctl invite new" in err
    (before,) = terminal.out("invite")
    (after,) = terminal.out("invite", "new")
    assert before != after
    assert terminal.out("invite") == [after]


def test_devices_are_added_listed_and_signed_out(terminal: Terminal) -> None:
    """By enough of the first digits; what there is not is said in words."""
    ada = terminal.joined("ada")
    status, out, err = terminal.run("add-device", "@Ada")
    assert (status, out.count("\n")) == (0, 1)
    assert "as=ada" in out
    assert "give it to nobody else" in err
    (device,) = terminal.json("devices", "ada")
    assert device["online"]
    other = "0000" if not device["device"].startswith("0000") else "ffff"
    assert terminal.fails("remove-device", "ada", other) == "there is no such device"
    assert terminal.fails("devices", "nobody") == "nobody here is called nobody"
    assert terminal.fails("remove-device", "nobody", other) == "nobody here is called nobody"
    assert terminal.out("remove-device", "ada", device["device"][:4].upper()) == []
    said = ada.to_the_end()[-1]
    assert isinstance(said, messages.Goodbye)
    assert said.code == "device_removed"
    assert terminal.out("devices", "ada") == []


def test_who_may_join_is_said_and_changed(terminal: Terminal) -> None:
    """Each of both by itself; what is not named stays."""
    assert terminal.json("joining") == [{"rule": "invite_or_ask", "moderators_invite": False}]
    terminal.out("joining", "--moderators-invite", "yes")
    terminal.out("joining", "ask")
    assert terminal.json("joining") == [{"rule": "ask", "moderators_invite": True}]
    assert terminal.run("joining", "anybody")[0] == 2


def test_a_list_says_in_its_help_what_its_columns_are(capsys: Captured) -> None:
    """Of each verb that prints some."""
    for verb in ("requests", "invites", "devices", "clients", "people", "sanctions"):
        with pytest.raises(SystemExit) as ended:
            ctl.main([verb, "--help"])
        assert ended.value.code == 0
        assert "Columns: " in capsys.readouterr().out
