"""Moderation through real programs: `ChatServer ctl`, and what the people concerned notice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from chat_server.ctl_socket import FACTS_FILE
from common.protocol.messages import Error, MutePerson, Terminate
from tests.process.harness import DEADLINE, ROOT, Child, Client, House, Server, wait_until
from tests.process.wire import Session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets with owners are tested")


def ctl(house: House, server: Server, verb: str, *arguments: str) -> Child:
    """A command line on the host's computer, run to its end."""
    folder = str(server.data_dir)
    child = house.child(
        f"ctl {verb}", ["chat_server", "ctl", verb, "--data-dir", folder, *arguments]
    )
    child.status()
    return child


def done(house: House, server: Server, verb: str, *arguments: str) -> list[str]:
    """What it printed, once it has done what it was told."""
    child = ctl(house, server, verb, *arguments)
    assert child.status() == 0, child.transcript()
    assert child.err == []
    return child.out


def objects(house: House, server: Server, verb: str, *arguments: str) -> list[dict[str, Any]]:
    """What it printed, one JSON object a line."""
    return [json.loads(line) for line in done(house, server, verb, "--json", *arguments)]


def test_a_banned_person_does_not_come_back(house: House, server: Server) -> None:
    """Not with the saved token, the old link, or another name on the same device."""
    ben = house.client(server, "ben")
    ben.send("hello")
    hearing = ben.listen()
    hearing.event()
    ban = ctl(house, server, "ban", "ben", "--until", "7d", "--reason", "Enough of you")
    assert (ban.status(), ban.out) == (0, [])
    assert "new invite link" in "".join(ban.err)
    assert hearing.status() == 1
    assert "you are banned from this chat until " in hearing.err[-1].lower()
    assert "Enough of you" in hearing.err[-1]
    again = ben.run("send", "back?")
    assert again.status() == 1
    assert "banned" in again.err[-1]
    new_link = done(house, server, "invite")[0]
    assert new_link != server.invite
    for name, folder, link, why in (
        ("cleo", "c", server.invite, "no longer valid"),  # from elsewhere, by the old link
        ("benny", "", new_link, "banned"),  # by the new one, from the same device
    ):
        data_dir = house.folder / folder if folder else ben.data_dir
        child = Client(house, data_dir, name, link).run("send", "me again")
        assert child.status() == 1, child.transcript()
        assert why in child.err[-1]
    Client(house, house.folder / "d", "dora", new_link).send("hello, all")
    done(house, server, "unban", "ben")
    ben.send("I am back")
    assert [each["action"] for each in objects(house, server, "audit")] == ["unban", "ban"]


def test_who_is_muted_reads_and_does_not_write(house: House, server: Server) -> None:
    """It is told at once, and again when it comes back, until it is lifted."""
    ada = house.client(server, "ada")
    ada.send("hello")
    with Session(server.join, "ben") as ben:
        done(house, server, "mute", "ben", "--until", "30m", "--reason", "too loud")
        (muted,) = objects(house, server, "sanctions")
        assert (muted["kind"], muted["username"], muted["reason"]) == ("mute", "ben", "too loud")
        ben.say("can I?")
        error = ben.expect(Error)
        assert (error.code, error.retryable) == ("muted", False)
        assert error.params == {"reason": "too loud", "until": muted["until"]}
        done(house, server, "unmute", "ben")
        ben.say_all("now I can")
    assert objects(house, server, "sanctions") == []


def test_a_client_lists_who_is_a_moderator(house: House, server: Server) -> None:
    """In a column of its own, which only they have."""
    ben = house.client(server, "ben")
    ben.send("hello")
    assert ben.ask("people") == ["ben\tben\tonline"]
    done(house, server, "role", "ben", "moderator")
    assert ben.ask("people") == ["ben\tben\tonline\tmoderator"]
    (told,) = ben.ask("people", "--json")
    assert json.loads(told)["role"] == "moderator"


def test_a_moderator_moderates_and_no_other(house: House, server: Server) -> None:
    """As soon as it is one, on the connection that is there."""
    with Session(server.join, "mia") as mia, Session(server.join, "ben") as ben:
        mia.command(MutePerson, username="ben")
        assert mia.expect(Error).code == "not_allowed"
        done(house, server, "role", "mia", "moderator")
        assert {each["username"]: each["role"] for each in objects(house, server, "people")} == {
            "mia": "moderator", "ben": "member",
        }  # fmt: skip
        mia.command(Terminate, username="ben", reason="Go to bed")
        goodbye = ben.expect_goodbye()
        assert (goodbye.code, goodbye.params) == ("terminated", {"reason": "Go to bed"})
    (_, entry) = objects(house, server, "audit")[::-1]
    assert (entry["by"], entry["action"]) == ("mia", "terminate")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("status",), 0, ""),
        (("terminate", "nobody"), 1, "nobody here is called nobody"),
        (("unban", "7"), 1, "no such ban"),
        (("rename", "  "), 2, "a name needs a visible character"),
        (("ban",), 2, "--help)"),
        (("ban", "ben", "--until", "soon"), 2, "--help)"),
        (("role", "ben", "emperor"), 2, "--help)"),
        (("abolish",), 2, "--help)"),
    ],
)
def test_the_exit_status_tells_what_came_of_it(
    house: House, standing: Server, arguments: tuple[str, ...], status: int, said: str
) -> None:
    """0 is done, 1 could not be done, 2 was no order; why is on standard error."""
    child = ctl(house, standing, *arguments)
    assert child.status() == status, child.transcript()
    assert said in "\n".join(child.err)
    assert bool(child.out) == (status == 0)


def test_without_a_server_it_says_so(house: House, server: Server) -> None:
    """Neither before the first start, nor after an end, nor after a kill."""
    server.kill()
    child = ctl(house, server, "status")
    assert child.status() == 1
    assert "no ChatServer runs" in child.err[0]
    server.start()
    assert done(house, server, "status")
    server.stop()
    assert not (server.data_dir / FACTS_FILE).exists()
    assert ctl(house, server, "status").status() == 1


def _socket_of(server: Server) -> Path:
    facts = json.loads((server.data_dir / FACTS_FILE).read_bytes())
    assert set(facts) == {"folder", "socket"}
    return Path(facts["socket"])


def test_only_the_owner_reaches_the_socket(standing: Server) -> None:
    """It is nobody else's to open, in a folder that is nobody else's to enter."""
    path = _socket_of(standing)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert standing.data_dir.stat().st_mode & 0o777 == 0o700
    assert (standing.data_dir / FACTS_FILE).stat().st_mode & 0o777 == 0o600


def test_a_copy_of_the_folder_is_only_a_copy(house: House, server: Server) -> None:
    """A backup made by any tool, of a server that runs or was killed, has nothing but files.

    And orders to it reach no server, least of all that of the original.
    """
    for name in ("running", "killed"):
        if name == "killed":
            server.kill()
            assert _socket_of(server).exists()
        copy = house.folder / name
        shutil.copytree(server.data_dir, copy)
        kinds = {stat.S_IFMT(path.lstat().st_mode) for path in copy.rglob("*")}
        assert kinds == {stat.S_IFREG}
        child = house.child("ctl", ["chat_server", "ctl", "status", "--data-dir", str(copy)])
        assert child.status() == 1
        assert "no ChatServer runs" in child.err[0]
    server.start()
    assert done(house, server, "status")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root alone can")
def test_another_users_process_is_refused(server: Server) -> None:
    """Even where the files would let it in."""
    path = _socket_of(server)
    for folder in path.parents:
        if folder.stat().st_uid == os.geteuid() and folder != folder.parent:
            folder.chmod(folder.stat().st_mode | 0o055)
    path.chmod(0o666)
    program = """
        import os, socket, sys
        os.setgid(65534)
        os.setuid(65534)
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(sys.argv[1])
        connection.sendall(b"x" * 40)
        sys.exit(0 if connection.recv(1) == b"" else 3)
    """
    refused = subprocess.run(
        [sys.executable, "-c", dedent(program), path],
        cwd=ROOT, check=False, timeout=DEADLINE, capture_output=True,
    )  # fmt: skip
    path.parent.chmod(0o700)
    hung_up = (b"ConnectionResetError", b"BrokenPipeError")
    assert refused.returncode == 0 or any(each in refused.stderr for each in hung_up), (
        refused.stderr
    )
    with Session(server.join, "ada") as ada:
        ada.say_all("still here")


def test_what_was_done_outlasts_a_kill(house: House, server: Server) -> None:
    """Bans, mutes, roles, the audit log and the invite; what has ended by itself meanwhile has."""
    old = server.join
    with (
        Session(old, "mia", installation="a" * 32) as mia,
        Session(old, "ben", installation="b" * 32) as ben,
        Session(old, "eve", installation="c" * 32) as eve,
        Session(old, "dan", installation="d" * 32) as dan,
    ):
        done(house, server, "role", "mia", "moderator")
        done(house, server, "mute", "ben", "--reason", "too loud")
        done(house, server, "mute", "mia", "--until", "1s")
        assert ctl(house, server, "ban", "eve", "--until", "7d").status() == 0
        assert ctl(house, server, "ban", "dan", "--until", "1s").status() == 0
        link = done(house, server, "invite")[0]
        before = objects(house, server, "audit")
    server.kill()
    server.start()
    assert done(house, server, "invite")[0] == link
    assert objects(house, server, "audit") == before
    assert len(before) == 5
    for invite, name, token, installation, why in (
        (old, "cleo", None, "e" * 32, "bad_secret"),
        (server.join, "eve", eve.token, "c" * 32, "banned"),
        (server.join, "eve", eve.token, "e" * 32, "banned"),
        (server.join, "evie", None, "c" * 32, "banned"),
    ):
        with pytest.raises(AssertionError, match=why):
            Session(invite, name, token, installation=installation)
    with Session(server.join, "ben", ben.token, installation="b" * 32) as ben_again:
        ben_again.say("may I?")
        assert ben_again.expect(Error).code == "muted"
    wait_until(
        lambda: (
            [each["username"] for each in objects(house, server, "sanctions")] == ["ben", "eve"]
        ),
        "the end of the short ones",
    )
    with (
        Session(server.join, "mia", mia.token, installation="a" * 32) as mia_again,
        Session(server.join, "dan", dan.token, installation="d" * 32) as dan_again,
    ):
        mia_again.say_all("I may again")
        dan_again.say_all("so may I")
        mia_again.command(Terminate, username="dan")
        assert dan_again.expect_goodbye().code == "terminated"


def test_lists_are_whole_while_people_come_and_go(house: House, server: Server) -> None:
    """Each line is what it should be, nobody is listed twice, and whoever stays is there."""
    going = threading.Event()
    trouble: list[BaseException] = []

    def come_and_go(name: str) -> None:
        token = None
        try:
            while not going.is_set():
                with Session(server.join, name, token) as session:
                    token = session.token
        except BaseException as error:
            trouble.append(error)
            raise

    people = [threading.Thread(target=come_and_go, args=(f"guest{n}",)) for n in range(4)]
    with Session(server.join, "stays"):
        for each in people:
            each.start()
        try:
            for _ in range(3):
                clients = objects(house, server, "clients")
                numbers = [each["connection"] for each in clients]
                assert numbers == sorted(set(numbers))
                assert "stays" in [each["username"] for each in clients]
                names = [each["username"] for each in objects(house, server, "people")]
                assert len(names) == len(set(names))
                assert "stays" in names
        finally:
            going.set()
            for each in people:
                each.join(DEADLINE)
    assert not trouble


def test_a_server_that_does_not_answer_is_waited_for_so_long(house: House, server: Server) -> None:
    """And no longer; what it was told is done once it goes on."""
    server.child.process.send_signal(signal.SIGSTOP)
    try:
        program = """
            import sys
            from chat_server import ctl
            ctl._PATIENCE = 0.5
            sys.exit(ctl.main(sys.argv[1:]))
        """
        asked = subprocess.run(
            [sys.executable, "-c", dedent(program), "status", "--data-dir", server.data_dir],
            cwd=ROOT, check=False, timeout=DEADLINE, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        server.child.process.send_signal(signal.SIGCONT)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert asked.stderr == "ChatServer ctl: the server does not answer\n"
    assert done(house, server, "status")
