"""Canaries: every secret of every way to join, looked for wherever somebody else might read it."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.process.guests import by_code, by_knock, created
from tests.process.harness import Client, House, Listener
from tests.process.test_moderation import ctl
from tests.process.wire import HungUpError, Session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ctl uses a socket with an owner")

DEBUG: Final = ("--log-level", "debug")
LISTS: Final = (
    ("status",),
    ("clients",),
    ("people",),
    ("sanctions",),
    ("requests",),
    ("invites", "--all"),
    ("devices", "ada"),
    ("joining",),
    ("audit", "--count", "1000"),
)
"""Every order that is not asked for a secret."""


def token_of(client: Client) -> str:
    """The token of a client's device."""
    account = json.loads(next(client.data_dir.rglob("account.json")).read_text())
    token: str = account["token"]
    return token


def command_line(listener: Listener) -> str:
    """What every user of this computer may read of a process."""
    listener.event()  # it has long begun
    file = Path(f"/proc/{listener.process.pid}/cmdline")
    return file.read_bytes().replace(b"\0", b" ").decode() if file.exists() else ""


def test_no_secret_is_where_others_may_read_it(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in logs, audit, lists, what was said, the process table; and hashed in the database."""
    caplog.set_level(logging.DEBUG)
    server = house.server(*DEBUG)
    place = server.join.place
    secrets = {"standing": server.join.secret, "link": ""}
    secrets["link"] = created(house, server, "create-invite").secret
    ada = Client(house, house.folder / "ada", "ada", server.invite)
    hearing = ada.listen(*DEBUG)
    lines = [command_line(hearing)]
    device = created(house, server, "add-device", "ada")
    secrets["device"] = device.secret
    phone = Client(house, house.folder / "phone", "ada", device.link()).listen(*DEBUG)
    lines.append(command_line(phone))
    code, by = by_code(house, server, place)
    secrets |= {"code": code, "code's invite": by.secret}
    secrets["knock's invite"] = by_knock(house, server, place).secret
    for name, invite in (("carl", by.secret), ("bob", secrets["link"])):
        with Session(place.invite(invite), name, installation="6" * 32) as session:
            secrets |= {f"token of {name}": session.token, f"session of {name}": session.session}
    # What is refused is not logged with what was tried.
    for wrong in (by.secret, "x" * 22):
        with pytest.raises((AssertionError, HungUpError)):
            Session(place.invite(wrong), "eve")
    secrets["token of ada"] = token_of(ada)

    told = "\n".join(line for order in LISTS for line in ctl(house, server, *order, "--json").out)
    told += "\n".join(line for order in LISTS for line in ctl(house, server, *order).out)
    for each in (hearing, phone):
        each.process.terminate()
        each.status()
    assert server.stop() == 0
    logs = "\n".join(
        [
            *(path.read_text("utf-8") for path in house.folder.rglob("log.txt*")),
            *(line for each in (server.child, hearing, phone) for line in each.err),
            *(record.getMessage() for record in caplog.records),
        ]
    )
    exported = "\n".join(hearing.out + phone.out)
    places = {"log": logs, "lists": told, "messages": exported, "process table": "\n".join(lines)}
    database = b"".join(path.read_bytes() for path in server.data_dir.glob("chat.db*"))
    for kind, secret in secrets.items():
        assert len(secret) >= 9, kind
        for form in {secret, secret.replace("-", "")} if kind == "code" else {secret}:
            for where, text in places.items():
                assert form.lower() not in text.lower(), (kind, where)
            if kind != "standing":
                assert form.encode() not in database, kind
    # What was looked for would have been found: these are the places where all that is told.
    assert "code_proof" in logs
    assert "create_invite" in told
    assert "nobody" not in exported
    assert '"kind": "join"' in exported
    assert secrets["standing"].encode() in database
