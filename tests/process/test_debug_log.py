"""The log at the level debug of a whole conversation: what happened, and nothing of its content."""

from __future__ import annotations

import json
import re
import sys
from typing import Final, get_args

import pytest

from common import limits
from common.domain.invite import Invite
from common.domain.names import GENERAL
from common.protocol import messages
from tests.process.guests import by_code, by_knock, created, denied, withdrawn
from tests.process.harness import Client, House, Server
from tests.process.test_moderation import ctl
from tests.process.wire import Raw, Session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ctl uses a socket with an owner")

DEBUG: Final = ("--log-level", "debug")
TEXTS: Final = ("wisteria in public", "wisteria in private", "wisteria unsent", "wisteria by line")
NAMES: Final = ("Harbourside", "Lighthouse", "zephyrine", "Quillfeather", "thaddeus", "ottoline")
REASONS: Final = ("marmalade ban", "marmalade mute", "marmalade end")
LINES: Final = (
    r"connection \d+, account \d+: send id=\d+ .*-> muted",
    r"batch: \d+ commands, 0 refused, commit \d+\.\d\d ms",
    r"connection \d+: opened",
    r"connection \d+: closed, left; \d+ bytes in, \d+ out",
    r"connection \d+: goodbye, terminated",
    r"sending sync id=\d+ positions=1\[0\] .*",
    r"received synced re=\d+ heads=1\[\d+\] .*",
    r"received ack re=\d+ seq=\d+ .*",
    r"news: StatusChanged status=\(Status link=online .*",
    r"news: OutboxChanged state=sent waiting=0 seq=\d+",
)
"""What must be there of the rest."""


def test_every_command_is_in_it_and_no_content(house: House) -> None:
    """Commands of every kind by real programs: each is logged with its numbers and its result.

    No text of a message, no name that was typed, no reason that a moderator gave, no token, no
    secret and no key is there, nor a piece of one that would help anybody.
    """
    server = house.server(*DEBUG, "--name", "Harbourside")
    ada = Client(house, house.folder / "c1", "Zephyrine Quillfeather", server.invite)
    use_the_client(ada)
    account = json.loads(next(ada.data_dir.rglob("account.json")).read_text())
    recognise(server, account["username"])
    with Session(server.join, "thaddeus") as ben, Session(server.join, "ottoline") as cleo:
        ask_everything(ben, f"dm:thaddeus:{account['username']}")
        own_account(ben)
        moderate(house, server, cleo)
        invites = join_in_every_way(house, server)
        with Session(server.join, "thaddeus", ben.token) as again:
            again.settle()
        secrets = [ben.token, cleo.token, account["token"], ben.session, again.session]
    assert server.stop() == 0

    files = [path.read_text("utf-8") for path in sorted(house.folder.rglob("log.txt*"))]
    # What a verb says to the person who called it is no log; a record's further lines are indented.
    lines = (line for child in house.children for line in child.err if re.match(r"20\d\d-| ", line))
    log = "\n".join([*files, *lines])
    for kind in get_args(messages.ToServer):
        name = kind.model_fields["type"].default
        found = rf"connection -?\d+, account (\d+|-): {name} id=\d+.* -> ok$"
        assert re.search(found, log, re.MULTILINE), name
    for line in LINES:
        assert re.search(f" DEBUG .*: {line}$", log, re.MULTILINE), line
    key = (server.data_dir / "server.pem").read_text().split("-----")[2]
    for content in (
        *("wisteria", "marmalade", *NAMES, account["username"]),
        *(secret[:16] for secret in secrets),
        *(server.join.secret[:8], *key.split()),
        *(invite.secret[:8] for invite in invites),
    ):
        assert content.lower() not in log.lower(), content
    # What was looked for would have been found: it was really used.
    assert all(text.startswith(("wisteria", "marmalade")) for text in (*TEXTS, *REASONS))
    assert len(key.split()) > 2


def use_the_client(ada: Client) -> None:
    """Every verb of the real client."""
    ada.send(TEXTS[0], *DEBUG)
    hearing = ada.listen(*DEBUG)
    assert hearing.message().text == TEXTS[0]
    hearing.process.terminate()
    hearing.status()
    ada.ask("rooms", *DEBUG)
    assert "Zephyrine" in ada.ask("people", *DEBUG)[0]
    ada.ask("send", "--lines", *DEBUG, stdin=f"{TEXTS[3]}\n")


def recognise(server: Server, username: str) -> None:
    """Ask the server to show that it is the old one, as after a new identity."""
    with Raw(server.join) as stranger:
        hello = messages.Hello(id=1, protocol=limits.PROTOCOL_VERSION, program="wire")
        stranger.transmit(stranger.end.send(hello))
        assert isinstance(stranger.message(), messages.Welcome)
        recognize = messages.Recognize(
            id=2, secret=server.join.secret, username=username, nonce="0" * 32
        )
        stranger.transmit(stranger.end.send(recognize))
        assert isinstance(stranger.message(), messages.Recognized)


def ask_everything(ben: Session, private: str) -> None:
    """What the verbs don't ask for, and a message that only one person gets."""
    ben.say_all(TEXTS[1], room=private)
    ben.follow()
    ben.settle()
    ben.command(messages.ListOnline)
    ben.expect(messages.Online)
    ben.command(messages.History, room=GENERAL, count=5)
    assert ben.expect(messages.HistoryPage).events[-1].kind == "join"


def own_account(ben: Session) -> None:
    """What everybody may do to the own account, and to its devices and invites."""
    ben.command(messages.RenameMe, display_name="Thaddeus Quillfeather")
    ben.expect(messages.Done)
    ben.command(messages.AddDevice)
    number = ben.expect(messages.InviteCreated).number
    ben.command(messages.ListInvites)
    ben.expect(messages.Invites)
    ben.command(messages.RevokeInvite, number=number)
    ben.expect(messages.Done)
    ben.command(messages.ListDevices)
    ben.expect(messages.Devices)


def join_in_every_way(house: House, server: Server) -> list[Invite]:
    """By an invite, a code and a request, and with another device; two accounts are deleted."""

    def order(*words: str) -> None:
        child = ctl(house, server, *words)
        assert child.status() == 0, child.transcript()

    place = server.join.place
    link = created(house, server, "create-invite")
    _, code = by_code(house, server, place)
    order("code", "end")
    knock = by_knock(house, server, place)
    withdrawn(place)
    denied(house, server, place)
    device = created(house, server, "add-device", "ottoline")
    with Session(place.invite(link.secret), "undine") as undine:
        undine.command(messages.DeleteMe, messages="keep")
        undine.expect_goodbye()
    Session(place.invite(code.secret), "volker", installation="5" * 32).close()
    Session(place.invite(knock.secret), "nora", installation="7" * 32).close()
    with Session(device, "ottoline", "4" * 64, new=True, installation="4" * 32) as phone:
        phone.command(messages.ListDevices)
        (current,) = [each for each in phone.expect(messages.Devices).devices if each.current]
        order("remove-device", "ottoline", current.device)
        assert phone.expect_goodbye().code == "device_removed"
    order("delete-account", "volker", "--messages", "remove")
    order("slow-mode", "off")
    order("joining", "invite")
    return [link, code, knock, device]


def moderate(house: House, server: Server, cleo: Session) -> None:
    """Everything that a host can do, to one person."""

    def order(verb: str, *arguments: str) -> None:
        child = ctl(house, server, verb, *arguments)
        assert child.status() == 0, child.transcript()

    for verb in ("status", "clients", "people"):
        order(verb)
    order("role", "thaddeus", "moderator")
    order("mute", "ottoline", "--until", "30m", "--reason", REASONS[1])
    cleo.say(TEXTS[2])
    while not isinstance(error := cleo.message(), messages.Error):
        pass
    assert error.code == "muted"
    order("unmute", "ottoline")
    order("rename", "Lighthouse")
    order("invite", "new")
    order("invite", "show")
    order("terminate", "ottoline", "--reason", REASONS[2])
    assert cleo.expect_goodbye().code == "terminated"
    order("ban", "ottoline", "--reason", REASONS[0])
    order("sanctions")
    order("unban", "ottoline")
    order("audit")
