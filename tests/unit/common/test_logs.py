"""The log: private, whole, in order, free of secrets, and never in the program's way."""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from pydantic import BaseModel

from chat_client.state.account import Account
from chat_client.state.news import Requested
from chat_client.state.request import AddDevice
from common.domain.invite import Place
from common.protocol.messages import Error, Goodbye, KnockAnswered, ToClient, ToServer
from common.system import logs
from common.system.logs import redact, start_logging

ROOT = Path(__file__).parents[3]
SECRET = "Zm9vYmFyYmF6cXV4MTIzNA"  # noqa: S105  # nobody's
TOKEN = "0123456789abcdef" * 4

log = logging.getLogger("tests.logs")
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists, no modes")


@pytest.fixture(autouse=True)
def _former_logging() -> Iterator[None]:
    """Logging is the whole process's; afterwards it is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    start_logging("warning", None)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("PIL").setLevel(logging.NOTSET)


@pytest.fixture
def all_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is left out for being like many others."""
    monkeypatch.setattr(logs, "BURST", 1_000_000)


def begin(folder: Path, level: str = "info") -> Path:
    """Start logging into `folder`; the path of the log."""
    path = start_logging(level, folder)
    assert path == folder / "log.txt"
    return path


def numbers(*paths: Path) -> list[int]:
    """The numbers that were logged into these files, in order."""
    text = "".join(path.read_text("utf-8") for path in paths)
    return [int(line.rpartition(" ")[2]) for line in text.splitlines()]


def files(folder: Path) -> list[Path]:
    """The log's files, the oldest first."""
    return sorted(folder.iterdir(), reverse=True)


def mode(path: Path) -> int:
    """A path's permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_everything_in_it_is_its_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made before the first record; then folder and files are private, all of them."""
    monkeypatch.setattr(logs, "LIMIT", 300)
    before = os.umask(0)
    try:
        begin(tmp_path / "data")
        assert not (tmp_path / "data").exists()
        for number in range(30):
            log.info("number %d", number)
    finally:
        os.umask(before)
    assert mode(tmp_path / "data") == 0o700
    assert [path.name for path in files(tmp_path / "data")] == [
        *("log.txt.3", "log.txt.2", "log.txt.1", "log.txt")
    ]
    assert {mode(path) for path in files(tmp_path / "data")} == {0o600}


@pytest.mark.usefixtures("all_records")
def test_rotation_keeps_all_records_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the oldest file to the newest the records follow each other, and only old ones go."""
    monkeypatch.setattr(logs, "LIMIT", 2000)
    begin(tmp_path)
    for number in range(60):
        log.info("number %d", number)
    assert len(files(tmp_path)) > 1
    assert numbers(*files(tmp_path)) == list(range(60))
    for number in range(60, 1000):
        log.info("number %d", number)
    kept = numbers(*files(tmp_path))
    assert len(files(tmp_path)) == 4
    assert kept == list(range(kept[0], 1000))
    assert all(2000 <= path.stat().st_size < 2200 for path in files(tmp_path)[:3])


def test_a_second_start_goes_on_in_the_same_file(tmp_path: Path) -> None:
    """What an earlier run has logged stays."""
    begin(tmp_path)
    log.info("number 0")
    path = begin(tmp_path)
    log.info("number 1")
    assert numbers(path) == [0, 1]


@pytest.mark.usefixtures("all_records")
def test_a_rotation_that_fails_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the full file can't be moved it is appended to, and the older ones stay."""
    monkeypatch.setattr(logs, "LIMIT", 500)
    monkeypatch.setattr(logs, "PATIENCE", 200)
    for older in (1, 2, 3):
        (tmp_path / f"log.txt.{older}").write_text(f"older {older}\n")
    replace = Path.replace

    def held(self: Path, target: Path) -> Path:
        if self.name == "log.txt":
            raise PermissionError(13, "Another program has it open")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", held)
    path = begin(tmp_path)
    for number in range(100):
        log.info("number %d", number)
    assert numbers(path) == list(range(100))
    # The oldest had to go for the one that was to come; the others were not pushed out.
    assert numbers(tmp_path / "log.txt.3", tmp_path / "log.txt.2") == [2, 1]
    assert capsys.readouterr().err.count("can't be rotated") == 1

    monkeypatch.setattr(Path, "replace", replace)
    for number in range(100, 110):
        log.info("number %d", number)
    assert numbers(*files(tmp_path)) == [2, 1, *range(110)]
    assert len(files(tmp_path)) == 4


@pytest.mark.usefixtures("all_records")
def test_another_program_that_has_rotated_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two clients that share the log, one rotates; the other goes on in the new file."""
    monkeypatch.setattr(logs, "LIMIT", 100)
    path = begin(tmp_path)
    log.info("number 0, and much more than the half of what goes into it: %s 0", "x" * 80)
    try:
        path.rename(tmp_path / "log.txt.1")
    except PermissionError:
        pytest.skip("here a file that is open can't be moved")
    path.write_text("the other's 1\n")
    log.info("number 2")
    assert numbers(path) == [1, 2]
    assert len(files(tmp_path)) == 2


def test_a_log_that_cannot_be_opened_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program goes on without a log, and with it as soon as it can be."""
    (tmp_path / "data").write_text("a file where the folder should be")
    path = begin(tmp_path / "data")
    log.info("number 0")
    log.info("number 1")
    said = capsys.readouterr().err
    assert said.count("can't be written") == 1
    assert str(path) in said
    assert said.count(" INFO tests.logs: number ") == 2
    (tmp_path / "data").unlink()
    log.info("number 2")
    assert numbers(path) == [2]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has an always full device")
def test_a_full_disk_does_not_hinder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Writing fails without a word more than one; with room again the next record is written."""
    path = begin(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(logs, "_open_private", lambda _: os.open("/dev/full", os.O_WRONLY))
        for number in range(3):
            log.info("number %d", number)
    assert capsys.readouterr().err.count("No space left") == 1
    log.info("number 3")
    assert numbers(path) == [3]


@pytest.mark.parametrize("call", ["open", "write", "fstat", "close"])
@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_no_call_that_fails_hinders(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    call: str,
    code: int,
) -> None:
    """Whatever the system answers: no exception, one complaint, and no descriptor is lost."""
    path = begin(tmp_path)
    log.info("number 0")
    original = getattr(os, call)

    def fail(*arguments: Any, **more: Any) -> Any:
        if call == "close":
            original(*arguments, **more)
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(logs, "LIMIT", 200)  # so that it is rotated, too
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        for number in range(1, 30):
            log.info("number %d", number)
        start_logging("info", tmp_path)
        log.info("number 30")
    assert capsys.readouterr().err.count("the log ") <= 2
    log.info("number 31")
    assert numbers(path)[-1] == 31


def test_what_is_repeated_is_coalesced() -> None:
    """A flood leaves a bounded number of lines and the count of what was left out."""
    now = [0.0]
    repetitions = logs.RecordCoalescer(lambda: now[0])

    def picked(message: str, *arguments: object, level: int = logging.WARNING) -> str | None:
        record = logging.LogRecord("net", level, __file__, 1, message, arguments, None)
        found = repetitions.pick(record)
        return None if found is None else found.getMessage()

    said = [picked("connection %d sent nonsense", number) for number in range(10_000)]
    assert [line for line in said if line] == [
        f"connection {number} sent nonsense" for number in range(logs.BURST)
    ]
    # Other kinds are not left out for that, nor is debug ever.
    assert picked("connection %d left", 1) == "connection 1 left"
    assert picked("connection %d sent nonsense", 1, level=logging.ERROR)
    for _ in range(1000):
        assert picked("a detail", level=logging.DEBUG)
    now[0] += logs.PAUSE
    line = picked("connection %d sent nonsense %%", 7)
    assert line == "connection 7 sent nonsense %"
    line = picked("connection %d sent nonsense", 8)
    left_out = 10_000 - logs.BURST
    assert line == f"connection 8 sent nonsense ({left_out} more of this kind were left out before)"
    assert picked("connection %d sent nonsense", 9) is None
    for number in range(10 * logs.KINDS):
        picked(f"kind {number}")
    assert len(repetitions._kinds) <= logs.KINDS


def test_a_flood_does_not_roll_the_file_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was logged before is still there after five times as much; the terminal has all."""
    monkeypatch.setattr(logs, "LIMIT", 1 << 15)
    path = begin(tmp_path)
    log.info("number 4711")
    for number in range(2_000):
        log.warning("connection %d from somewhere sent something invalid: malformed", number)
    assert "number 4711" in path.read_text("utf-8")
    assert path.stat().st_size < 20_000
    err = capsys.readouterr().err
    assert err.count("malformed") == 2_000
    assert len(err) > 5 * logs.LIMIT


@pytest.mark.parametrize("broken", ["none", "closed"])
def test_without_a_terminal_there_is_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """A program with a window may have no standard error, or lose it."""
    stream = None
    if broken == "closed":
        stream = (tmp_path / "terminal").open("w")
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    path = begin(tmp_path / "data")
    log.info("number 0")
    assert numbers(path) == [0]
    start_logging("info", path / "impossible")
    log.info("number 1")


def test_a_second_call_takes_the_firsts_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No record is written twice, the new level holds, and the former file is closed."""
    first = begin(tmp_path / "a")
    log.info("number 0")
    (former,) = (each for each in logging.getLogger().handlers if isinstance(each, logs._LogFile))
    second = begin(tmp_path / "b", "warning")
    log.info("number 1")
    log.warning("number 2")
    assert numbers(first) == [0]
    assert numbers(second) == [2]
    assert former.stream is None
    assert capsys.readouterr().err.count("number") == 2
    assert start_logging("info", None) is None
    log.info("number 3")
    assert numbers(second) == [2]
    assert capsys.readouterr().err.count("number") == 1
    assert logging.getLogger("PIL").level == logging.INFO


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"chat://h:1/join?fp=x&secret={SECRET}&name=n", "chat://h:1/join?fp=x&secret=…&name=n"),
        (f"'chat://h:1/join?secret={SECRET}' is", "'chat://h:1/join?secret=…' is"),
        (f"secret={SECRET} is", "secret=… is"),
        (f"Invite(secret='{SECRET}', n=1)", "Invite(secret='…', n=1)"),
        (f'{{"secret": "{SECRET}", "a": 1}}', '{"secret": "…", "a": 1}'),
        (rf"b'{{\"secret\":\"{SECRET}\"}}'", r"b'{\"secret\":\"…" + "\"}'"),
        (f"token={TOKEN}", "token=…"),
        (f'{{"token": "{TOKEN}"}}', '{"token": "…"}'),
        (f"the token '{TOKEN.upper()}' is", "the token '…' is"),
        (f"KeyError: '{TOKEN}'", "KeyError: '…'"),
        ("ShownCode(code='K7QM3XPA', n=1)", "ShownCode(code='…', n=1)"),
        ('{"code": "K7QM-3XPA"}', '{"code": "…"}'),
        ("code='bad_secret' code='K7QM3XPAX' code=12345678X", ""),
        ("[type=x, input_value={'text': 'hi'}, input_type=dict]", None),
        (f"{TOKEN[:-1]} and {SECRET} and secret words", ""),
    ],
)
def test_secrets_are_left_out(text: str, left: str | None) -> None:
    """An invite's secret and a device's token go, wherever they stand; the rest stays."""
    if left is None:
        left = "[type=x, input_value=…, input_type=dict]"
    assert redact(text) == (left or text)


CANARIES: Final = {
    "secret": SECRET,
    "link": f"chat://10.0.0.1:1/join?as=ada&fp={'A' * 43}&secret={SECRET}&name=n",
    "token": TOKEN,
    "share": TOKEN,
    "tag": TOKEN * 2,
    "commitment": TOKEN,
    "code": "K7QM3XPA",
}


@pytest.mark.parametrize("kind", [*get_args(ToServer), *get_args(ToClient)])
def test_no_form_of_a_message_has_a_secret(kind: type[BaseModel]) -> None:
    """An exception may quote any of them: as Python shows it, and as JSON."""
    given = {name: CANARIES[name] for name in CANARIES if name in kind.model_fields}
    if issubclass(kind, Error | Goodbye | KnockAnswered):
        given.pop("code")  # the code of a reason
    if not given:
        assert not {"secret", "token", "link"} & set(kind.model_fields)
        return
    message = kind.model_construct(None, **given)
    for shown in (repr(message), str(message), json.dumps(given), f"{given}", message.model_dump()):
        left = redact(str(shown))
        for canary in (SECRET, TOKEN, "K7QM3XPA"):
            assert canary not in left
    assert any(canary in repr(message) for canary in (SECRET, TOKEN, "K7QM3XPA"))


@pytest.mark.parametrize(
    "item",
    [
        Place(("10.0.0.1",), 1, b"x" * 32, "n").invite(SECRET, "ada"),
        Account(Place(("10.0.0.1",), 1, None, "n").invite(SECRET), "ada", "Ada", TOKEN),
        Requested(AddDevice(), None, link=CANARIES["link"]),
    ],
    ids=lambda item: type(item).__name__,
)
def test_no_form_of_what_is_made_of_messages_has_a_secret(item: object) -> None:
    """Invites, accounts and news as Python shows them."""
    assert SECRET in repr(item) or TOKEN in repr(item)
    left = redact(repr(item))
    assert SECRET not in left
    assert TOKEN not in left


def test_no_handler_sees_a_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in a message, nor in its arguments, nor in an exception's text, nor in a stack."""
    path = begin(tmp_path)
    known: dict[str, int] = {}
    try:
        known[TOKEN]
    except KeyError:
        log.exception("no way to chat://h:1/join?secret=%s", SECRET, stack_info=True)
    logging.raiseExceptions, before = False, logging.raiseExceptions
    try:
        log.error("too few %s %s", f"token={TOKEN}")  # noqa: PLE1206  # a mistake, for once
    finally:
        logging.raiseExceptions = before
    for text in (path.read_text("utf-8"), capsys.readouterr().err):
        assert "KeyError: '…'" in text
        assert "secret=…" in text
        assert "too few %s %s ('token=…',)" in text
        assert SECRET not in text
        assert TOKEN not in text


def test_no_record_can_be_forged(tmp_path: Path) -> None:
    """A record is one line, and what is below it is indented; nothing moves the cursor."""
    path = begin(tmp_path)
    name = "ada\r\n2026-01-01 00:00:00 INFO forged: \x1b[2J\x9b\u2028\u202e\ud800é"
    log.info("%s has joined", name)
    log.error("no", exc_info=ValueError(name))
    first, second, *below = path.read_text("utf-8").split("\n")[:-1]
    shown = r"\n2026-01-01 00:00:00 INFO forged: \x1b[2J\x9b\u2028\u202e\ud800é"
    assert first.endswith(rf" INFO tests.logs: ada\r{shown} has joined")
    assert second.endswith(" ERROR tests.logs: no")
    assert all(line.startswith("  ") for line in below)
    assert below[-1].endswith(shown[2:])
    assert path.read_bytes().count(b"\r") == (3 + len(below)) * (os.linesep == "\r\n")


CRASH = """
import atexit, logging, os, sys, faulthandler, pathlib
folder, how = pathlib.Path(sys.argv[1]), sys.argv[2]
if how == "at exit":
    atexit.register(faulthandler._sigabrt)  # before logging's own: it comes after that
from common.system import logs
logs.LIMIT = 400
replace = pathlib.Path.replace
def as_on_windows(self, target):
    ours = pathlib.Path("/proc/self/fd")
    if ours.exists() and any(each.samefile(self) for each in ours.iterdir() if each.exists()):
        raise PermissionError(13, "It is open")
    return replace(self, target)
pathlib.Path.replace = as_on_windows
path = logs.start_logging("info", folder)
logs.watch_for_native_crashes(path)
for number in range(12 if how == "rotated" else 1):
    logging.info("number %d", number)
if how != "at exit":
    faulthandler._sigsegv()
"""


def crash(folder: Path, how: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Have another process end natively."""
    done = subprocess.run(
        [sys.executable, *options, "-c", CRASH, str(folder), how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done


@pytest.mark.parametrize("how", ["at once", "rotated", "at exit"])
def test_a_native_crash_is_in_the_log(tmp_path: Path, how: str) -> None:
    """Its stack is in the newest file, after a rotation and after logging has ended, too."""
    crash(tmp_path, how)
    assert "Fatal Python error" in (tmp_path / "log.txt").read_text("utf-8")
    assert (tmp_path / "log.txt.1").exists() == (how == "rotated")


def test_who_wants_native_crashes_elsewhere_gets_them(tmp_path: Path) -> None:
    """`-X faulthandler` is left alone."""
    assert "Fatal Python error" in crash(tmp_path, "at once", "-X", "faulthandler").stderr
    assert "Fatal" not in (tmp_path / "log.txt").read_text("utf-8")


def test_a_native_watch_that_cannot_be_is_harmless(tmp_path: Path) -> None:
    """A folder that can't be made: the program starts all the same."""
    (tmp_path / "data").touch()
    done = crash(tmp_path / "data", "at once")
    assert "Traceback" not in done.stderr
    assert "number 0" in done.stderr
