"""The programs as users get them: built once for a run, then used far from where they were built.

Each test gets a person with an empty home, another user where this one is root, and with an
environment that knows neither Python nor the source. CHAT_DIST names a folder that
`dev.py build` filled, to spare building while tests are written.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.frozen.person import Person, command_on
from tests.frozen.screen import Screen
from tests.process.networks import some_networks, why_not

ROOT: Final = Path(__file__).resolve().parents[2]
_BUILD: Final = 600
"""Seconds that building may take, on a machine with other work."""
SUFFIX: Final = ".exe" if sys.platform == "win32" else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the build."""
    for item in items:
        if item.path.parent == Path(__file__).parent and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_BUILD))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """When a test fails, keep a picture of the display: it says more than a traceback."""
    report = yield
    screen = getattr(item, "funcargs", {}).get("screen")
    if report.failed and report.when == "call" and screen is not None:
        picture = Path(tempfile.mkdtemp(prefix="chat-failure-")) / "screen.png"
        screen.picture().save(picture)
        report.sections.append(("display", f"{picture}; windows: {screen.titles()}"))
    return report


@dataclass(frozen=True)
class Bundle:
    """What `dev.py build` made, and copies of it that everyone may read."""

    dist: Path
    folder: Path
    """The folder with both programs."""
    files: Path
    """A folder with the programs as single files."""

    @property
    def deb(self) -> Path:
        """The Debian package."""
        return self._one("*.deb")

    @property
    def sbom(self) -> Path:
        """The bill of materials."""
        return self._one("*.cdx.json")

    def program(self, name: str, form: str) -> Path:
        """An executable: `form` is "folder" or "file"."""
        return (self.folder if form == "folder" else self.files) / f"{name}{SUFFIX}"

    def _one(self, pattern: str) -> Path:
        found = sorted(self.dist.glob(pattern))
        if not found:
            pytest.skip(f"no {pattern} is made on this system")
        return found[0]


@pytest.fixture(scope="session")
def public() -> Iterator[Path]:
    """A folder that other users can enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="chat-frozen-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def bundle(public: Path) -> Bundle:
    """The build of this run."""
    given = os.environ.get("CHAT_DIST")
    dist = Path(given) if given else public / "dist"
    if not given:
        command = [sys.executable, "-m", "build_specs.build", "--dist", str(dist)]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=_BUILD, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    folder, files = public / "some where" / "Chat", public / "files"
    shutil.copytree(dist / "Chat", folder, symlinks=True)
    files.mkdir()
    for name in ("ChatServer", "ChatClient"):
        shutil.copy(dist / f"{name}{SUFFIX}", files)
    return Bundle(dist, folder, files)


def user_of_tests() -> int | None:
    """The user that programs run as, where that is not the one that runs the tests."""
    if sys.platform != "win32" and os.geteuid() == 0:
        return pwd.getpwnam("nobody").pw_uid
    return None


@pytest.fixture(scope="session")
def why_no_networks() -> str | None:
    """Why programs have to run in the network of this computer, if they do."""
    return why_not()


@pytest.fixture
def person(public: Path, why_no_networks: str | None) -> Iterator[Person]:
    """Somebody with an empty home; whatever they started is ended with the test.

    Where that is possible their computer is on a network of its own: a chat that somebody near
    hosts would be listed in their windows.
    """
    home = Path(tempfile.mkdtemp(prefix="home-", dir=public))
    user = user_of_tests()
    with ExitStack() as stack:
        computer: list[str] = []
        if why_no_networks is None:
            networks = stack.enter_context(some_networks())
            mine, other = networks.computer(), networks.computer()
            cable = networks.cable(mine, other)
            for number, each in enumerate((mine, other), 1):
                each.up(cable, f"10.77.0.{number}/24")
            computer = command_on(mine, user)
        person = Person(home, user, computer)
        stack.callback(person.leave)
        yield person


@pytest.fixture
def screen() -> Iterator[Screen]:
    """The display, with a window manager, a keyboard, a mouse and a clipboard."""
    screen = Screen()
    try:
        yield screen
    finally:
        screen.close()
