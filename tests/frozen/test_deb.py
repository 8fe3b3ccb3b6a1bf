"""The Debian package: what is in it, what it asks for, and that it comes and goes cleanly."""

from __future__ import annotations

import configparser
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from build_specs.deb import (
    PACKAGE,
    PROGRAMS,
    DebError,
    debian_version,
    dependencies,
    make_deb,
)
from build_specs.elf import read_linkage
from build_specs.tools import BuildError
from common import __version__
from tests.frozen.clean_root import GUEST, CleanRoot
from tests.frozen.conftest import Bundle
from tests.frozen.person import Person
from tests.frozen.screen import Screen

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Debian packages are for Linux")
BOTH: Final = pytest.mark.parametrize(("program", "command"), PROGRAMS.items())
HOME: Final = f"usr/lib/{PACKAGE}"
PLACES: Final = (
    *(f"{HOME}/", "usr/bin/chat-", "usr/share/applications/lan.chat.", f"usr/share/doc/{PACKAGE}/"),
    *("usr/share/icons/hicolor/", f"usr/share/lintian/overrides/{PACKAGE}", "usr/share/man/man1/"),
    "usr/share/metainfo/lan.chat.",
)
"""Where the package may have files."""


class Package(NamedTuple):
    """The package, taken apart."""

    deb: Path
    members: dict[str, tarfile.TarInfo]
    tree: Path

    def field(self, name: str) -> str:
        """A field of its control file."""
        return _said("dpkg-deb", "--field", str(self.deb), name).strip()


@pytest.fixture(scope="module")
def package(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """What `dev.py build` made."""
    tree = tmp_path_factory.mktemp("deb")
    command = ["dpkg-deb", "--fsys-tarfile", str(bundle.deb)]
    content = subprocess.run(command, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(tree, filter="tar")
        members = {entry.name.removeprefix("./"): entry for entry in archive}
    return Package(bundle.deb, members, tree)


# --- what is in it ----------------------------------------------------------------------------


def test_it_has_files_only_where_they_belong(package: Package) -> None:
    """Everything is root's, in the places for it, and only root can change it."""
    for name, entry in package.members.items():
        assert (entry.uid, entry.gid) == (0, 0), name
        if entry.issym():
            continue
        executed = entry.isdir() or name in {f"{HOME}/{program}" for program in PROGRAMS}
        assert entry.mode == (0o755 if executed else 0o644), name
        assert entry.isdir() or (entry.isfile() and name.startswith(PLACES)), name


def test_it_has_the_whole_folder(package: Package, bundle: Bundle) -> None:
    """All files of the folder, and their content but for the build's own library paths."""
    folder = {str(path.relative_to(bundle.folder)): path for path in bundle.folder.rglob("*")}
    home = package.tree / HOME
    assert {str(path.relative_to(home)) for path in home.rglob("*")} == set(folder)
    for name, path in folder.items():
        if path.is_file() and not (path.name.endswith(".so") or ".so." in path.name):
            assert (home / name).read_bytes() == path.read_bytes(), name


def test_its_links_lead_to_what_it_has(package: Package) -> None:
    """Links are relative, and the commands are those of both programs."""
    links = {name: entry.linkname for name, entry in package.members.items() if entry.issym()}
    for name, goal in links.items():
        assert not goal.startswith("/"), name
        assert (package.tree / name).resolve().is_relative_to(package.tree)
        assert (package.tree / name).exists(), name
    for program, command in PROGRAMS.items():
        assert links[f"usr/bin/{command}"] == f"../lib/{PACKAGE}/{program}"


def test_it_says_what_it_is(package: Package) -> None:
    """The fields that apt and people look at."""
    assert package.field("Package") == PACKAGE
    assert package.field("Version") == debian_version(__version__)
    assert package.field("Architecture") == _said("dpkg", "--print-architecture").strip()
    assert (package.field("Section"), package.field("Priority")) == ("net", "optional")
    size = sum(entry.size for entry in package.members.values())
    assert size / 1024 < int(package.field("Installed-Size")) < size / 1024 * 1.1 + 512


def test_it_asks_for_the_c_library_it_was_built_with_at_most(package: Package) -> None:
    """The system's libc runs the programs, so the version that is asked for is not newer."""
    asked = re.search(r"libc6 \(>= (\d+)\.(\d+)\)", package.field("Depends"))
    assert asked
    here = os.confstr("CS_GNU_LIBC_VERSION") or ""
    assert (int(asked[1]), int(asked[2])) <= tuple(map(int, here.split()[1].split(".")))


def test_no_library_is_looked_for_where_it_was_built(package: Package) -> None:
    """A folder with that name may be anybody's, where the package is installed."""
    for path in package.tree.rglob("*.so*"):
        if path.is_file() and not path.is_symlink():
            for folders in read_linkage(path).search.values():
                assert folders.startswith("$ORIGIN"), path.name


def test_it_is_the_same_when_made_again(
    package: Package, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times, modes, the time zone and the language of whoever makes it are not in it."""
    folder = tmp_path / "copy"
    shutil.copytree(bundle.folder, folder, symlinks=True, copy_function=shutil.copyfile)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    mask = os.umask(0o077)
    try:
        epoch = int(package.members[HOME].mtime)
        again = make_deb(folder, tmp_path / "out", __version__, epoch)
    finally:
        os.umask(mask)
    assert again.name == package.deb.name
    assert _sha256(again) == _sha256(package.deb)
    assert [path.name for path in again.parent.iterdir()] == [again.name]


# --- what it says to people and desktops ------------------------------------------------------


@BOTH
def test_the_desktop_knows_the_window(
    package: Package, bundle: Bundle, person: Person, screen: Screen, program: str, command: str
) -> None:
    """The entry has its program's window class, or its icon would stand there twice."""
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(package.tree / f"usr/share/applications/lan.chat.{program}.desktop", "utf-8")
    settings = entry["Desktop Entry"]
    opens_links = " --open-link %u" if program == "ChatClient" else ""
    assert (settings["Exec"], settings["Icon"]) == (command + opens_links, command)
    # Whoever asks for it has to say that the program is there (common/ui/program/x11.py).
    assert settings["StartupNotify"] == "true"
    person.start(bundle.program(program, "folder"), *_alone(program))
    classes = re.findall(r'"([^"]*)"', screen.window(program).wm_class)
    assert settings["StartupWMClass"] == classes[-1]


def test_a_desktop_knows_what_opens_invites(package: Package, tmp_path: Path) -> None:
    """The desktops' own tool puts the entry among those for the scheme, and finds no other."""
    _need("update-desktop-database")
    folder = tmp_path / "applications"
    shutil.copytree(package.tree / "usr/share/applications", folder)
    assert not _said("update-desktop-database", str(folder))
    cache = (folder / "mimeinfo.cache").read_text()
    assert "x-scheme-handler/chat=lan.chat.ChatClient.desktop;" in cache


@BOTH
def test_it_has_the_man_page_of_its_version(package: Package, program: str, command: str) -> None:
    """What it says is compared with the programs' help by tests/unit/build_specs."""
    page = gzip.decompress((package.tree / f"usr/share/man/man1/{command}.1.gz").read_bytes())
    assert f'"Chat {__version__}"' in page.decode()
    assert f"is the program {program}" in page.decode()


def test_every_bundled_part_has_its_licence(package: Package) -> None:
    """What others made is not by chance under the licence of what is ours."""
    text = (package.tree / f"usr/share/doc/{PACKAGE}/copyright").read_text("utf-8")
    files = re.findall(r"^Files: (.+(?:\n +.+)*)", text, re.MULTILINE)
    patterns = [pattern for lines in files for pattern in lines.split() if pattern != "*"]
    ours = (
        *("_internal/common/ui/assets/icons/", "_internal/common/assets/sounds/"),
        *("_internal/build.json", "licenses/"),
    )
    home = package.tree / HOME
    for path in home.rglob("*"):
        name = str(path.relative_to(home))
        if path.is_file() and "/" in name and not name.startswith(ours):
            assert any(fnmatch(name, pattern) for pattern in patterns), name
    defined = set(re.findall(r"^License: (.+)\n ", text, re.MULTILINE))
    used = set(re.findall(r"^License: (.+)\n(?! )", text, re.MULTILINE))
    assert defined == {name for names in used for name in re.split(" and | or ", names)}


def test_desktop_entries_are_valid(package: Package) -> None:
    """As the desktops' own tool says."""
    _need("desktop-file-validate")
    entries = map(str, (package.tree / "usr/share/applications").iterdir())
    assert not _said("desktop-file-validate", *entries)


def test_what_software_centres_show_is_valid(package: Package) -> None:
    """As AppStream's own tool says; the version is this one."""
    _need("appstreamcli")
    for path in (package.tree / "usr/share/metainfo").iterdir():
        _said("appstreamcli", "validate", "--no-net", str(path))
        assert f'<release version="{__version__}" date="20' in path.read_text("utf-8")


@pytest.mark.timeout(300)
def test_lintian_finds_no_error(bundle: Bundle) -> None:
    """What Debian's own tool calls an error is none of this package's."""
    _need("lintian")
    _said("lintian", "--fail-on", "error", str(bundle.deb))


# --- how it comes and goes --------------------------------------------------------------------


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("screen")  # on which windows can be opened
def test_on_a_clean_system_it_installs_works_and_goes(package: Package, public: Path) -> None:
    """With its dependencies and nothing else, the programs work; then nothing of it is left."""
    root = CleanRoot.make(public / "root")
    before = root.paths()
    deb = root.folder / "srv" / "chat.deb"
    shutil.copy(package.deb, deb)
    root.run("apt-get", "install", "-y", "--no-install-recommends", "/srv/chat.deb")
    deb.unlink()
    assert not root.run("dpkg", "--verify", PACKAGE)
    for program, command in PROGRAMS.items():
        assert root.run("which", command, user=GUEST) == f"/usr/bin/{command}\n"
        assert root.run(command, "--version", user=GUEST).startswith(f"{program} {__version__}")
        assert root.run(command, "--smoke-test", user=GUEST).endswith("all is well\n")
    root.run("apt-get", "remove", "-y", PACKAGE)
    assert not {path for path in root.paths() if re.search(r"chat-|lan\.chat", path)}
    root.run("dpkg", "--purge", PACKAGE)
    root.run("apt-get", "autoremove", "-y", "--purge")
    # Of the dependencies, what they set up for all programs may stay, and caches.
    others = ("/etc/", "/var/", f"/home/{GUEST}/.cache")
    assert not {path for path in root.paths() - before if not path.startswith(others)}


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "debian"),
    [("1.2.3", "1.2.3"), ("1.0rc1", "1.0~rc1"), ("1.0a2.dev3", "1.0~a2~~dev3"), ("1.0+x", "1.0+x")],
)
def test_previews_come_before_what_they_preview(version: str, debian: str) -> None:
    """A tilde sorts before the end of a version."""
    assert debian_version(version) == debian


def test_a_version_that_debian_can_not_have_is_refused() -> None:
    """Dashes would begin Debian's own revision."""
    with pytest.raises(DebError, match=r"'1\.0-2' is no version"):
        debian_version("1.0-2")


def test_an_unknown_library_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    """Otherwise it would be missed only by those who install the package."""
    [module] = bundle.folder.rglob("_tkinter*.so")
    (tmp_path / "_internal").mkdir()
    shutil.copy(module, tmp_path / "_internal")
    with pytest.raises(DebError, match=rf"^_internal/{re.escape(module.name)} needs libt(cl|k)"):
        dependencies(tmp_path)


def test_a_folder_without_a_program_is_refused(tmp_path: Path) -> None:
    """Before anything is made."""
    with pytest.raises(DebError, match="there is no ChatServer in"):
        make_deb(tmp_path, tmp_path / "out", "1.0", 0)
    assert not (tmp_path / "out").exists()


def test_a_missing_tool_is_named(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the package that has it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="dpkg is missing; install the package dpkg"):
        make_deb(bundle.folder, tmp_path / "out", "1.0", 0)


# --- tools ------------------------------------------------------------------------------------


def _alone(program: str) -> list[str]:
    """Options with which a program disturbs nobody on this computer."""
    return ["--host", "127.0.0.1", "--port", "0"] if program == "ChatServer" else []


def _need(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")


def _said(*command: str) -> str:
    """What a tool prints; it must be content."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
