"""Accounts that are deleted with their messages, by real programs, killed in the middle of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from common.domain.names import FORMER_MEMBER
from common.protocol.ids import new_cid
from common.protocol.messages import DeleteMe, PersonChanged, RenameMe
from tests.process.harness import House, Server, wait_until
from tests.process.wire import Session

CANARY = "canary-4d1f"
MANY = 4_000
"""Messages of the account that is deleted: a thousand transactions."""


def fill(database: Path, username: str, count: int = MANY) -> None:
    """Have somebody say so much, while the server is stopped."""
    with closing(sqlite3.connect(database)) as connection:
        (room, head) = connection.execute(
            "SELECT room, max(seq) FROM events GROUP BY room"
        ).fetchone()
        (sender,) = connection.execute(
            "SELECT number FROM accounts WHERE username = ?", (username,)
        ).fetchone()
        connection.executemany(
            "INSERT INTO events (room, seq, kind, sender, sent_at, cid, body)"
            " VALUES (?, ?, 'message', ?, ?, ?, ?)",
            (
                (room, head + number, sender, number, new_cid(), json.dumps({"text": CANARY}))
                for number in range(1, count + 1)
            ),
        )
        connection.commit()


def left(database: Path) -> int:
    """How many of its messages are in the database still."""
    uri = f"file:{database}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM events WHERE kind = 'message' AND instr(body, ?)", (CANARY,)
        ).fetchone()
    return int(count)


def has_canary(files: Sequence[Path]) -> bool:
    """Whether a text is in one of these files, wherever in it."""
    return any(CANARY.encode() in file.read_bytes() for file in files if file.exists())


def database_files(path: Path) -> list[Path]:
    """A database and its write-ahead log."""
    return [path, path.with_name(f"{path.name}-wal")]


def test_a_server_killed_in_the_middle_of_erasing_goes_on(house: House) -> None:
    """Whoever asks gets none of the texts, before and after; in the end none is on the disk."""
    server = house.server(program=("tests.process.slow_erasing", "chat_server"))
    ada = house.client(server, "ada")
    ada.send("hello")
    with Session(server.join, "bob", new=True) as bob:
        token = bob.token
    assert server.stop() == 0
    database = server.data_dir / "chat.db"
    fill(database, "ada")
    server.start()
    folder = str(server.data_dir)
    deletion = house.child(
        "ctl delete-account",
        [
            "chat_server",
            "ctl",
            "delete-account",
            "ada",
            "--messages",
            "remove",
            "--data-dir",
            folder,
        ],
    )
    assert deletion.status() == 0, deletion.transcript()
    wait_until(lambda: left(database) < MANY, "some are removed")
    server.kill()
    assert 0 < left(database) < MANY
    server.start()
    with Session(server.join, "bob", token) as bob:
        events = bob.everything()
    assert len(events) > MANY
    assert not [event for event in events if CANARY in event.text]
    assert sum(event.kind == "removed" for event in events) == MANY + 1
    wait_until(lambda: left(database) == 0, "all are removed")
    wait_until(lambda: not has_canary(database_files(database)), "nothing of it is in the files")
    assert ada.run("send", "back?").status() == 1
    assert server.stop() == 0
    assert not has_canary(database_files(database))


def test_the_copies_of_clients_follow(house: House, server: Server) -> None:
    """Of one that is there, and of one that comes later; whoever left is called so."""
    bob, cem = house.client(server, "bob"), house.client(server, "cem")
    caches = {name: client.data_dir / "accounts" for name, client in (("bob", bob), ("cem", cem))}
    hearing, later = bob.listen(), cem.listen()
    for listener in (hearing, later):
        listener.event()
    with Session(server.join, "ada", new=True) as ada:
        ada.say_all(f"{CANARY} for all")
        ada.command(RenameMe, display_name="Countess")
        assert ada.expect(PersonChanged).person.display_name == "Countess"
        for listener in (hearing, later):
            assert CANARY in listener.message().text
        later.kill()
        assert all(map(_has_canary_below, caches.values()))
        ada.command(DeleteMe, messages="remove")
        goodbye = ada.expect_goodbye()
        assert (goodbye.code, goodbye.params) == ("account_deleted", {"messages": "removed"})
    wait_until(lambda: not _has_canary_below(caches["bob"]), "bob's copy is without it")
    again = cem.listen()
    wait_until(lambda: not _has_canary_below(caches["cem"]), "cem's copy is without it")
    assert again.running
    assert hearing.running
    people = [json.loads(line) for line in bob.ask("people", "--json")]
    assert {each["username"] for each in people} == {"bob", "cem"}
    assert FORMER_MEMBER not in {each["display_name"] for each in people}
    answer = bob.run("send", "--room", "@ada", "are you there?")
    assert answer.status() == 1
    assert "no longer here" in answer.err[-1]


def test_a_person_changes_the_name_and_deletes_the_account_by_verbs(
    house: House, server: Server
) -> None:
    """With what this computer has; afterwards there is nobody to come back as."""
    ada, bob = house.client(server, "ada"), house.client(server, "bob")
    ada.send(CANARY)
    bob.send("hello")
    assert ada.ask("rename", "Countess") == []
    people = [json.loads(line) for line in bob.ask("people", "--json")]
    assert {each["display_name"] for each in people} == {"Countess", "bob"}
    refused = ada.run("rename", "Ada (you)")
    assert (refused.status(), "taken for" in refused.err[-1]) == (2, True)
    usage = ada.run("delete-account")
    assert (usage.status(), "--messages" in usage.err[-1]) == (2, True)
    assert ada.ask("delete-account", "--messages", "remove") == []
    assert not list((ada.data_dir / "accounts").glob("*/*"))
    hearing = bob.listen()
    kinds = [hearing.event().kind for _ in range(5)]
    assert kinds == ["join", "removed", "join", "message", "account_deleted"]
    assert CANARY not in "".join(hearing.out)


def _has_canary_below(folder: Path) -> bool:
    return has_canary([path for path in folder.rglob("*") if path.is_file()])
