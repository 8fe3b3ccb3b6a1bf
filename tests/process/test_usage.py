"""Wrong command lines, folders and invites: one clear line, the right status, nothing harmed."""

import re
import socket
import sqlite3
import ssl
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from chat_server.identity import load_identity
from common import __version__
from common.domain.invite import Invite
from common.system.tls import server_context
from tests.process.harness import Child, Client, House, Server, wait_until
from tests.process.wire import Session

USAGE = 2
REFUSED = 1


def _one_line(child: Child, status: int, *words: str) -> str:
    """It ended with this status and said why, in one line and to standard error only."""
    assert child.status() == status, child.transcript()
    assert child.out == [], child.transcript()
    assert len(child.err) == 1, child.transcript()
    for word in words:
        assert word in child.err[0], child.transcript()
    return child.err[0]


def _serve(house: House, *flags: str, under: Sequence[str] = ()) -> Child:
    arguments = ["chat_server", "--headless", "--log-level", "error", *flags]
    return house.child("server", arguments, under=under)


def _with_open_files(most: int) -> list[str]:
    """A command that runs another one, which then may have so many files open."""
    return ["sh", "-c", f'ulimit -n {most} && exec "$@"', "sh"]


@pytest.mark.parametrize("program", ["ChatServer", "ChatClient"])
def test_version(house: House, program: str) -> None:
    """`--version` says the program's name, version and commit on standard output."""
    module = {"ChatServer": "chat_server", "ChatClient": "chat_client"}[program]
    child = house.child(program, [module, "--version"])
    assert child.status() == 0
    [line] = child.out
    assert line.startswith(f"{program} {__version__} (commit ")
    assert "from source" in line
    assert child.err == []


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--colour"], "--colour"),
        (["--port", "65536"], "'65536' is no port"),
        (["--port", "-1"], "'-1' is no port"),
        (["--plaintext"], "--plaintext needs a loopback address"),
        (["--plaintext", "--host", "0.0.0.0"], "--plaintext needs a loopback address"),  # noqa: S104
        (["--name", " "], "a name needs a visible character"),
    ],
)
def test_a_wrong_command_line_of_the_server(house: House, flags: list[str], word: str) -> None:
    """Status 2, one line that names what is wrong, and no folder made."""
    folder = house.folder / "data"
    _one_line(_serve(house, "--data-dir", str(folder), *flags), USAGE, word)
    assert not folder.exists()


def test_a_busy_port(house: House, standing: Server) -> None:
    """Says which port and what to do; the server that has it goes on."""
    folder = str(house.folder / "other")
    address = ("--host", "127.0.0.1", "--port", str(standing.port))
    _one_line(
        _serve(house, *address, "--data-dir", folder),
        USAGE,
        f"port {standing.port} of 127.0.0.1 is used by another program",
        "--port",
    )
    with Session(standing.join, "kim") as kim:
        kim.settle()


@pytest.mark.skipif(sys.platform == "win32", reason="sockets are no files there")
@pytest.mark.parametrize("files", [9, 14, 24, 40])
def test_too_few_open_files(house: House, files: int) -> None:
    """Wherever they would run out: a sentence with what to do, and nothing is left behind."""
    folder = house.folder / "data"
    child = _serve(house, "--port", "0", "--data-dir", str(folder), under=_with_open_files(files))
    _one_line(child, USAGE, f"only {files} files", "ulimit -n")
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="sockets are no files there")
def test_a_crowd_that_takes_every_open_file(house: House) -> None:
    """Who is there is served, who comes waits, and the server keeps files for itself."""
    server = house.server(under=_with_open_files(96))
    listener = house.client(server, "ada").listen()
    assert listener.event().kind == "join"
    address = (server.join.hosts[0], server.port)
    with ExitStack() as crowd:
        # The server's own files, these and the strangers that it bears are more than it may have.
        members = [crowd.enter_context(Session(server.join, f"m{n}")) for n in range(20)]

        def full() -> bool:
            # One more each time: who has just signed in counts as a stranger for a moment, and
            # strangers that are too many go.
            crowd.enter_context(socket.create_connection(address))
            return any("no more connections can be accepted" in line for line in server.child.err)

        wait_until(full, "the last file that is to be had")
        members[0].say("It is full here")
        assert listener.texts(1) == ["It is full here"]
    house.client(server, "kim").send("Here I am")
    assert listener.texts(1) == ["Here I am"]
    assert len([line for line in server.child.err if "no more connections" in line]) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="sockets are no files there")
def test_strangers_can_not_take_every_open_file(house: House) -> None:
    """However many come and say nothing: a member still gets in."""
    server = house.server(under=_with_open_files(96))
    address = (server.join.hosts[0], server.port)
    with ExitStack() as crowd:
        for _ in range(300):
            crowd.enter_context(socket.create_connection(address))
        with Session(server.join, "ada") as ada:
            ada.say("They can't keep me out")


def test_an_address_of_another_computer(house: House) -> None:
    """The address that can't be listened on is named, and the system's reason follows."""
    address = ("--host", "192.0.2.1", "--port", "0")
    child = _serve(house, *address, "--data-dir", str(house.folder / "data"))
    _one_line(child, USAGE, "can't listen on port 0 of 192.0.2.1: Cannot assign")


def test_a_data_folder_that_is_a_file(house: House) -> None:
    """It is named, and left as it is."""
    file = house.folder / "file"
    file.write_text("precious")
    _one_line(_serve(house, "--port", "0", "--data-dir", str(file)), USAGE, str(file))
    assert file.read_text() == "precious"


def test_a_second_server_on_a_data_folder(house: House, standing: Server) -> None:
    """Refused with what to do; the first one goes on."""
    second = _serve(house, "--port", "0", "--data-dir", str(standing.data_dir))
    _one_line(second, USAGE, "another ChatServer uses", str(standing.data_dir), "--data-dir")
    with Session(standing.join, "lee") as lee:
        lee.settle()


def _refused_database(house: House, folder: Path, *words: str) -> None:
    """The server refuses a folder and leaves its database untouched."""
    path = folder / "chat.db"
    before = path.read_bytes()
    child = _serve(house, "--host", "127.0.0.1", "--port", "0", "--data-dir", str(folder))
    _one_line(child, USAGE, str(path), *words)
    assert path.read_bytes() == before
    assert [item.name for item in folder.glob("chat.db*")] == ["chat.db"]


def test_a_database_from_a_newer_version(house: House, server: Server) -> None:
    """Byte for byte as it was, with nothing beside it, and the advice to update."""
    with Session(server.join, "ada") as ada:
        ada.say_all("precious")
    assert server.stop() == 0
    with closing(sqlite3.connect(server.data_dir / "chat.db")) as database:
        database.execute("PRAGMA user_version = 99")
    _refused_database(house, server.data_dir, "newer ChatServer", "format 99", "install")


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_another_programs_database(house: House, mode: str) -> None:
    """A foreign SQLite file is named and left as it is."""
    folder = house.folder / "foreign"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "chat.db")) as database:
        database.execute(f"PRAGMA journal_mode = {mode}")
        database.execute("CREATE TABLE photos (name TEXT)")
        database.execute("INSERT INTO photos VALUES ('precious')")
        database.commit()
    _refused_database(house, folder, "not a ChatServer database", "--data-dir")


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to look" * 100, b"SQLite format 3\0" * 99]
)
def test_a_database_that_is_none(house: House, content: bytes) -> None:
    """Any other file, and a damaged one, likewise."""
    folder = house.folder / "damaged"
    folder.mkdir()
    (folder / "chat.db").write_bytes(content)
    _refused_database(house, folder)


def test_a_damaged_identity(house: House, server: Server) -> None:
    """Never replaced by itself: a new one would lock everybody out."""
    assert server.stop() == 0
    pem = server.data_dir / "server.pem"
    for content in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        pem.write_bytes(content)
        child = _serve(house, "--host", "127.0.0.1", "--port", "0", "--data-dir", str(pem.parent))
        _one_line(child, USAGE, str(pem), "restore it from a backup")
        assert pem.read_bytes() == content


def test_a_ready_file_that_cannot_be_written(house: House) -> None:
    """One line and status 2, as for everything else that keeps a server from starting."""
    file = house.folder / "file"
    file.write_text("precious")
    data = str(house.folder / "data")
    child = _serve(
        house,
        *("--host", "127.0.0.1", "--port", "0", "--data-dir", data),
        *("--ready-file", str(file / "ready.json")),
    )
    _one_line(child, USAGE, str(file))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shout"], ["shout"]),
        (["send", "hello"], ["--join"]),
        (["listen", "--count", "0"], ["--count", "use 1 or more"]),
        (["listen", "--after", "-1"], ["--after"]),
        (["send", "--timeout", "soon", "x"], ["--timeout"]),
        (["rooms", "--join", "https://example.org/"], ["--join", "chat://"]),
        (["people", "--name", "***"], ["--name", "***"]),
    ],
)
def test_a_wrong_command_line_of_the_client(
    house: House, arguments: list[str], words: list[str]
) -> None:
    """Status 2, one line that names what is wrong, and no folder made."""
    folder = house.folder / "client"
    child = house.child("client", ["chat_client", *arguments, "--data-dir", str(folder)])
    _one_line(child, USAGE, *words)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("flags", "typed", "words"),
    [
        ([" "], "", ["blank"]),
        ([], "", ["blank"]),
        (["x" * 16385], "", ["16384"]),
        (["\x1b[2J"], "", ["control"]),
        (["--lines", "x"], "", ["--lines"]),
        (["--lines"], "fine\n\a\n", ["line 2", "control"]),
        (["--lines"], "fine\n\n" + "x" * 16385, ["line 3", "16384"]),
        (["--lines"], " \n\n", ["no line"]),
        ([], b"gr\xfc\xdfe", ["line 1", "UTF-8"]),
        (["--lines"], b"fine\n\xff\xfeh\0i\0\n", ["line 2", "UTF-8"]),
        (["--room", "@mute", "x"], "", ["two people"]),
        (["--room", "no room", "x"], "", ["'no room' is no room"]),
    ],
)
def test_a_message_that_cannot_be_sent(
    house: House, standing: Server, flags: list[str], typed: str | bytes, words: list[str]
) -> None:
    """Wrong by itself: status 2 before anybody is bothered with it."""
    mute = house.client(standing, "mute")
    child = mute.run("send", *flags, stdin=typed)
    _one_line(child, USAGE, *words)
    with closing(sqlite3.connect(standing.data_dir / "chat.db")) as database:
        known = {name for (name,) in database.execute("SELECT username FROM accounts")}
    assert "mute" not in known


def _stranger(house: House, invite: Invite, name: str = "ada") -> Client:
    return Client(house, house.folder / f"client-{name}", name, invite.link())


def test_a_server_that_is_not_there(house: House) -> None:
    """Unreachable is status 1, and says so."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # Nothing listens there, and no other program can.
        invite = Invite(("127.0.0.1",), held.getsockname()[1], bytes(32), "s" * 22, "Nowhere")
        tries = [
            _stranger(house, invite, f"ada{number}").run(verb[0], "--timeout", "0.3", *verb[1:])
            for number, verb in enumerate((["send", "hello"], ["listen"], ["rooms"], ["people"]))
        ]
        statuses = [child.status() for child in tries]
    for child, status in zip(tries, statuses, strict=True):
        assert status == REFUSED, child.transcript()
        assert child.err[0].startswith("ChatClient: the server can't be reached")
        assert len(child.err) <= 2  # That it tries again, and that it gave up.


def test_a_server_with_another_identity_is_sent_nothing(house: House) -> None:
    """Whoever answers at the invite's address must be the server of the invite.

    The refusal explains itself, there is no way past it, and not a byte was sent.
    """
    identity = load_identity(house.folder)
    heard: list[bytes] = []

    def pretend(listening: socket.socket) -> None:
        raw, _ = listening.accept()
        with server_context(identity.path).wrap_socket(raw, server_side=True) as tls:
            try:
                heard.append(tls.recv(1000))
            except (ssl.SSLError, OSError):
                heard.append(b"")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=pretend, args=(listening,))
        thread.start()
        port = listening.getsockname()[1]
        invite = Invite(("127.0.0.1",), port, b"x" * 32, "s" * 22, "Ours")
        child = _stranger(house, invite).run("send", "our secret")
        line = _one_line(child, REFUSED, "not the server of the invite", "Nothing was sent")
        assert "new invite" in line
        thread.join()
    assert heard == [b""]


def test_a_changed_server_is_refused_by_who_knew_the_old_one(house: House, server: Server) -> None:
    """The host set the server up anew on the same port: a hard stop, for each verb."""
    ada = house.client(server, "ada")
    ada.send("hello")
    assert server.stop() == 0
    other = house.server(name="other", start=False)
    other.port = server.port
    other.start()
    for verb in (["send", "secret"], ["listen"], ["rooms"]):
        _one_line(ada.run(*verb), REFUSED, "not the server you joined")
    assert not any("ada" in line for line in other.child.err)


def test_a_wrong_secret(house: House, standing: Server) -> None:
    """An invite that was taken back: refused, and nothing is kept of the try."""
    wrong = replace(standing.join, secret="s" * 22)
    client = _stranger(house, wrong, "max")
    _one_line(client.run("send", "hello"), REFUSED, "invite is no longer valid")
    assert list(client.data_dir.glob("accounts/*/account.json")) == []
    _stranger(house, standing.join, "max").send("hello")


def test_a_taken_name(house: House, standing: Server) -> None:
    """Also in another case; the folder can be used with another name then."""
    house.client(standing, "bob").send("hello")
    thief = Client(house, house.folder / "thief", "BOB", standing.invite)
    _one_line(thief.run("listen"), REFUSED, "the username bob is taken")
    thief.name = "bab"
    thief.send("then as bab")


def test_a_long_list_of_lines_takes_as_long_as_it_takes(house: House, standing: Server) -> None:
    """`--timeout` is for reaching the server, not for the sending that follows."""
    liz = house.client(standing, "liz")
    liz.send("hello")
    child = liz.run("send", "--lines", "--timeout", "1", stdin="\n".join(map(str, range(4000))))
    assert child.status(within=60) == 0, child.transcript()
    with Session(standing.join, "reader") as reader:
        said = [event.text for event in reader.everything() if event.sender == "liz"]
    assert said == ["", "hello", *map(str, range(4000))]


def test_the_mark_before_a_text_is_not_sent(house: House, standing: Server) -> None:
    """Some editors and shells begin UTF-8 with one (U+FEFF); within a text it is as typed."""
    bom = house.client(standing, "bom")
    child = bom.run("send", "--lines", stdin="\ufeffmarked\r\nnot\ufeffmarked\r\n")
    assert child.status() == 0, child.transcript()
    with Session(standing.join, "bom-reader") as reader:
        said = [event.text for event in reader.everything() if event.sender == "bom"]
    assert said == ["", "marked", "not\ufeffmarked"]


def test_lines_that_are_refused_are_named(house: House, standing: Server) -> None:
    """By the server, not by this program: which line, why, and how far it came."""
    nan = house.client(standing, "nan")
    child = nan.run("send", "--lines", "--room", "@nobody", stdin="one\n\ntwo\n")
    _one_line(child, REFUSED, "line 1: nobody here is called nobody", "0 of 2 lines")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_the_characters(house: House, server: Server, encoding: str) -> None:
    """What an output can't show does not end the listening (Windows' pipes are cp1252)."""
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        ben.say_all("snow ☃ and 漢字", "after")
    child = ada.run(
        "listen", "--count", "2", environment={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    )
    assert child.status() == 0, child.transcript()
    snow, after = child.out[1:]
    assert re.search(r"ben: snow \S+ and \S+$", snow)
    assert after.endswith("ben: after")


@pytest.mark.parametrize("way", ["input", "environment"])
def test_the_invite_need_not_be_an_argument(house: House, standing: Server, way: str) -> None:
    """The first line of standard input is the invite then, and the rest is the message."""
    folder = house.folder / "client"
    sending = ["chat_client", "send", "--name", way, "--data-dir", str(folder)]
    if way == "input":
        child = house.child(way, [*sending, "--join", "-"], stdin=f"{standing.invite}\nhello\n")
    else:
        environment = {"CHAT_INVITE": standing.invite}
        child = house.child(way, [*sending, "hello"], environment=environment)
    assert child.status() == 0, child.transcript()
    assert child.out == child.err == []
    with Session(standing.join, f"{way}-reader") as reader:
        assert way in {event.sender for event in reader.everything() if event.text == "hello"}


@pytest.mark.parametrize(
    ("typed", "environment", "words"),
    [
        ("", {}, ["--join", "standard input has no invite"]),
        ("\nchat://late\n", {}, ["--join", "standard input has no invite"]),
        ("https://example.org/\n", {}, ["--join", "chat://"]),
        ("", {"CHAT_INVITE": "https://example.org/"}, ["CHAT_INVITE", "chat://"]),
    ],
)
def test_no_invite_where_it_should_be(
    house: House, typed: str, environment: dict[str, str], words: list[str]
) -> None:
    """Status 2, and the place that was looked in is named."""
    join = [] if environment else ["--join", "-"]
    arguments = ["chat_client", "rooms", *join]
    child = house.child("client", arguments, stdin=typed, environment=environment)
    _one_line(child, USAGE, *words)


_VERBS = [["listen"], ["listen", "--json"], ["people"], ["rooms", "--json"]]


@pytest.mark.parametrize("verb", [*_VERBS, ["--version"], ["--help"], ["send", "--help"]])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_output_that_cannot_be_written(house: House, standing: Server, verb: list[str]) -> None:
    """Status 1 and the system's reason in one line, as when the disk of a log is full."""
    full = ("sh", "-c", 'exec "$@" >/dev/full', "sh")
    _one_line(_print_to(house, standing, verb, full), REFUSED, "output", "No space left")


@pytest.mark.parametrize("verb", [*_VERBS, ["--version"], ["--help"], ["send", "--help"]])
@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_output_that_nobody_reads(house: House, standing: Server, verb: list[str]) -> None:
    """The left side of a pipe whose right side has ended: not a word, and status 1."""
    pipe = ("sh", "-c", '{ "$@"; echo status $? >&2; } | true', "sh")
    child = _print_to(house, standing, verb, pipe)
    child.status()
    assert child.err == [f"status {REFUSED}"], child.transcript()


def _print_to(house: House, server: Server, verb: list[str], under: tuple[str, ...]) -> Child:
    client = house.client(server, f"printer-{house.folder.name[-24:].strip('-_')}")
    # The parser prints by itself, before it looks at what follows.
    return house.child("printer", client.arguments(*verb), under=under)


def test_what_reorders_text_is_escaped(house: House, server: Server) -> None:
    """A sender has no power over a listener's terminal; JSON has the text as it was sent."""
    ada = house.client(server, "ada")
    with Session(server.join, "ben") as ben:
        ben.say_all("gpj.\u202eexe\u2028next")
    assert ada.ask("listen", "--count", "1")[-1].endswith(r"ben: gpj.\u202eexe\u2028next")
    assert ada.listen("--after", "0", "--count", "1").message().text == "gpj.\u202eexe\u2028next"
