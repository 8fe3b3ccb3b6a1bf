"""Canaries in the windows: secrets are looked for on the desktop, after crashes, and in all files.

What is on the command line alone is tests/process/test_secrets.py.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from common.domain.invite import Invite, parse_invite
from common.protocol import messages
from common.protocol.codec import Arrival
from tests.process.desk import DUNST, Desk, environment_of
from tests.process.harness import DEADLINE, Child, House, wait_until
from tests.process.newcomer import Newcomer
from tests.process.session_bus import session_bus
from tests.process.test_secrets import DEBUG

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="it looks into /proc and at a desktop of Linux"
)

_MISTAKE: Final = re.compile(r"a mistake with|Traceback| ERROR | CRITICAL ")
MEANT: Final = frozenset({"account.json", "chat.db", "chat.db-wal", "server.pem", "running.json"})
"""Files that are there to keep a secret, or an invite for this computer."""


class Noting(Newcomer):
    """A guest who writes down what proves something, of both ends."""

    noted: list[str]

    def command(self, kind: Callable[..., Any], **fields: object) -> None:
        """The same, noted."""
        self._note(fields)
        super().command(kind, **fields)

    def message(self, within: float = DEADLINE) -> Arrival:
        """The same."""
        said = super().message(within)
        if isinstance(said, messages.Reply):
            self._note(said.model_dump())
        return said

    def _note(self, fields: Mapping[str, object]) -> None:
        proofs = ("nonce", "sid", "share", "tag", "token")
        noted = [str(fields[name]) for name in proofs if fields.get(name)]
        self.noted = [*getattr(self, "noted", ()), *noted]


class Windows:
    """The programs' windows on one desk, and what is seen there of them."""

    def __init__(self, house: House, display: str, address: str) -> None:
        self._house = house
        home = house.folder / "home"
        (home / "tmp").mkdir(parents=True)
        environment = environment_of(display, address, home) | {"TMPDIR": str(home / "tmp")}
        self.desk = Desk(environment)
        self.processes: list[str] = []
        """What other programs may read of those that were started."""

    def start(self, title: str, name: str, *arguments: str | Path) -> tuple[Child, str]:
        """Start a program whose window's title has `name`; it, and that window."""
        child = self._house.child(
            title, list(map(str, arguments)), environment=self.desk.environment
        )
        found: list[str] = []

        def is_there() -> bool:
            said = self.desk.ask("xdotool", "search", "--onlyvisible", "--name", name)
            found[:] = said.split()
            return bool(found)

        wait_until(is_there, f"the window of {title}\n{child.transcript()}")
        self.read(child)
        return child, found[-1]

    def read(self, child: Child) -> None:
        """Read what the system tells of a process."""
        folder = Path(f"/proc/{child.process.pid}")
        for file in ("cmdline", "environ"):
            self.processes.append((folder / file).read_bytes().replace(b"\0", b" ").decode())

    def press(self, window: str, *keys: str) -> None:
        """Press keys in a window."""
        self.desk.ask("xdotool", "windowactivate", "--sync", window)
        self.desk.ask("xdotool", "key", "--delay", "30", *keys)

    def crashed(self) -> str:
        """The details of the crash that a dialog tells of; then go on."""
        found: list[str] = []

        def is_there() -> bool:
            said = self.desk.ask(
                "xdotool", "search", "--onlyvisible", "--name", "^Chat(Client|Server)$"
            )
            found[:] = [each for each in said.split() if "crash" in self._named(each)]
            return bool(found)

        wait_until(is_there, "the dialog")
        self.press(found[0], "shift+Tab", "shift+Tab", "shift+Tab", "Return")
        copied: list[str] = []

        def is_copied() -> bool:
            copied[:] = [self.desk.ask("xclip", "-o", "-selection", "clipboard")]
            return "Traceback" in copied[0]

        wait_until(is_copied, "the details in the clipboard")
        self.press(found[0], "Escape")
        return copied[0]

    def _named(self, window: str) -> str:
        return self.desk.ask("xprop", "-id", window, "WM_CLASS")

    def notified(self) -> str:
        """All notifications so far."""
        self.desk.ask("dunstctl", "close-all")
        return json.dumps(self.desk.history(), ensure_ascii=False)


@pytest.fixture(scope="module")
def _tools() -> None:
    for tool in ("xdotool", "xwininfo", "xprop", "xclip", "dunst"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


@pytest.fixture
def windows(house: House, display: str, _tools: None) -> Iterator[Windows]:
    """A desk with a notification server."""
    (house.folder / "bus").mkdir()
    with session_bus(house.folder / "bus") as address:
        windows = Windows(house, display, address)
        try:
            windows.desk.start(DUNST)
            yield windows
        finally:
            windows.desk.end()


class Host:
    """The host's window, whose server fails whenever somebody proves to know the code."""

    def __init__(self, house: House, windows: Windows) -> None:
        self._house = house
        self.data_dir = house.folder / "home" / "host"
        ready = house.folder / "ready.json"
        self.program, self.window = windows.start(
            "host",
            "^Harbour Team",
            *("tests.process.crashing", "chat_server.rules.codes:code_proof", "chat_server"),
            *("--host", "127.0.0.1", "--port", "0", "--name", "Harbour Team", *DEBUG),
            *("--data-dir", self.data_dir, "--ready-file", ready),
        )
        wait_until(ready.exists, "the server")
        self.invite: Invite = parse_invite(json.loads(ready.read_bytes())["invite"])
        ready.unlink()

    def ctl(self, verb: str, *words: str) -> Any:
        """What a command says, as JSON."""
        command = ["chat_server", "ctl", verb, "--data-dir", str(self.data_dir), *words, "--json"]
        child = self._house.child("ctl", command)
        assert child.status() == 0, child.transcript()
        return json.loads(child.out[0]) if child.out else None

    @property
    def private_key(self) -> str:
        """A line of it."""
        text = (self.data_dir / "server.pem").read_text()
        return text.partition("PRIVATE KEY-----\n")[2].splitlines()[0]


def files_of(folder: Path) -> dict[str, bytes]:
    """Everything that was written down, but what is meant to keep secrets."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in MEANT
    }


def test_no_secret_is_on_the_desktop_or_in_what_a_crash_leaves(
    house: House, windows: Windows
) -> None:
    """Host and guest crash while somebody joins: dialogs, logs, notifications, temporary files."""
    host = Host(house, windows)
    place = host.invite.place
    links = [parse_invite(host.ctl("create-invite")["link"]) for _ in range(2)]
    code = host.ctl("code")["code"].replace("-", "")
    secrets = {"standing": host.invite.secret, "private key": host.private_key, "code": code}
    secrets |= {f"link {number}": link.secret for number, link in enumerate(links)}

    # The server fails in the midst of a guess, and goes on.
    with Noting(place.invite(""), "eve") as eve:
        said = eve.code(code)
        assert isinstance(said, messages.Error)
        assert said.code == "internal"
        noted = eve.noted
    # The guest's window fails while it joins, with all that it has in its hands.
    folder = ("--data-dir", house.folder / "home" / "guest")
    broken = ("tests.process.crashing", "chat_client.window.screens:Screens._apply")
    joining = ("--join", links[0].link(), "--name", "Ada")
    guest, window = windows.start(
        "guest", "ChatClient$", *broken, "chat_client", *DEBUG, *folder, *joining
    )
    details = windows.crashed()
    assert "a mistake with" in details
    guest.process.terminate()
    guest.status()
    # Somebody joins, others ask: what is told of that is on the desktop.
    windows.desk.ask("xdotool", "windowminimize", "--sync", host.window)
    with Noting(place.invite(""), "fay") as fay:
        fay.knock()
        noted += fay.noted
        wait_until(lambda: windows.desk.displayed() > 0, "the notification")
        host.ctl("admit", str(host.ctl("requests")["request"]))
        answer = fay.answer()
        assert answer.secret is not None
        secrets["request's invite"] = answer.secret
        assert isinstance(fay.join(answer.secret), messages.SignedIn)
        secrets["token"] = fay.token
    arguments: list[str | Path] = [
        "chat_client",
        *DEBUG,
        *folder,
        "--join",
        links[1].link(),
        "--name",
        "Bea",
    ]
    guest, window = windows.start("guest", "Harbour Team.*ChatClient$", *arguments)
    account = next((house.folder / "home" / "guest").rglob("account.json"))
    secrets["own token"] = json.loads(account.read_text())["token"]
    for each in (window, host.window):
        windows.press(each, "alt+F4")
    for child in (guest, host.program):
        child.status()

    secrets |= {f"noted {number}": each for number, each in enumerate(noted)}
    places = {
        "details": details,
        "notifications": windows.notified(),
        "processes": "\n".join(windows.processes),
        "standard error": "\n".join(line for child in house.children for line in child.err),
        "standard output": "\n".join([*guest.out, *host.program.out]),
        **{name: data.decode("latin-1") for name, data in files_of(house.folder).items()},
    }
    for what, secret in secrets.items():
        assert len(secret) >= 8, what
        for where, text in places.items():
            assert secret.lower() not in text.lower(), (what, where)
    # They would have been found: there the crashes, the guests and the programs are told of.
    log = places["home/host/log.txt"]
    assert "a mistake with" in log
    assert "code_proof" in log
    assert "a mistake with" in places["home/guest/log.txt"]
    assert "Fay" in places["notifications"]
    assert "chat_client" in places["processes"]
    assert "HOME=" in places["processes"]
    for child in house.children:
        child.err[:] = [line for line in child.err if not _MISTAKE.search(line)]
