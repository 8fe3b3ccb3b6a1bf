"""Which program opens chat:// links: found, chosen and given back, by files and a registry."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.desktop_entry import ENTRY, MIME_TYPE, arguments_of, desktop_entry, quoted
from chat_client.mime_apps import Folders, choose, choose_no_more, environment_folders
from chat_client.options import Options
from chat_client.scheme_handler import (
    Handler,
    Opens,
    SchemeHandlerError,
    own_launch,
    scheme_handler,
)
from chat_client.scheme_handler_windows import KEY, WindowsHandler, command_line
from chat_client.scheme_handler_xdg import XdgHandler
from common.system.other_program import Launch

ROOT = Path(__file__).parents[3]
OTHER = "org.example.Talk.desktop"
posix = pytest.mark.skipif(
    sys.platform == "win32", reason="these are the desktops of POSIX systems"
)


class Computer:
    """The folders of one person, and a copy of the program."""

    def __init__(self, folder: Path) -> None:
        self.home, self.system = folder / "home", folder / "usr" / "share"
        self.folders = Folders(
            self.home / ".local/share",
            (self.system,),
            self.home / ".config",
            (folder / "etc/xdg",),
            ("gnome",),
        )
        self.command = self.program(folder / "Chat 1" / "ChatClient")
        self.handler = XdgHandler(Launch((str(self.command),)), self.folders)

    @staticmethod
    def program(path: Path) -> Path:
        """A program of that name."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        return path

    def entry(self, name: str, command: Path | str, *more: str, system: bool = True) -> Path:
        """A desktop entry that opens links."""
        path = (self.system if system else self.folders.data) / "applications" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = ["[Desktop Entry]", "Name=Talk", f"Exec={command} %u", f"MimeType={MIME_TYPE};"]
        path.write_text("\n".join([*lines, *more, "[Desktop Action x]", "Name=No", ""]))
        return path

    def list(self, text: str, name: str = "mimeapps.list") -> Path:
        """The person's list of what opens what."""
        path = self.folders.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    @property
    def own(self) -> Path:
        """The entry that is written here."""
        return self.folders.data / "applications" / ENTRY


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    """One on which nothing opens links, and no desktop has a cache."""
    monkeypatch.setattr("chat_client.scheme_handler_xdg._UPDATER", "no such program")
    return Computer(tmp_path)


@posix
def test_it_is_registered_and_no_more(computer: Computer) -> None:
    """With the entry, an icon and the list; afterwards all is as before."""
    before = computer.list("[Added Associations]\ntext/plain=x.desktop;\n").read_text()
    assert computer.handler.find() == Handler(Opens.NOTHING)
    computer.handler.register()
    assert computer.handler.find() == Handler(Opens.THIS)
    computer.handler.register()  # again
    text = (computer.folders.config / "mimeapps.list").read_text()
    assert text == f"{before}\n[Default Applications]\n{MIME_TYPE}={ENTRY};\n"
    [icon] = computer.folders.data.rglob("chat-client.png")
    assert icon.read_bytes().startswith(b"\x89PNG")
    computer.handler.unregister()
    assert computer.handler.find() == Handler(Opens.NOTHING)
    assert not [path for path in computer.folders.data.rglob("*") if path.is_file()]
    text = (computer.folders.config / "mimeapps.list").read_text()
    assert text == f"{before}\n[Default Applications]\n"
    computer.handler.unregister()  # again


@posix
@pytest.mark.parametrize("in_folder", [True, False])
def test_the_entry_starts_this_copy(computer: Computer, in_folder: bool) -> None:
    """Whatever its folder is called, with the data that this one uses."""
    folder = computer.home / "a \"$b\" \\c %d `e` 'ü'"
    program = Computer.program(folder / "ChatClient")
    program.write_text('#!/bin/sh\npwd\nprintf "%s\\n" "$@"\n')
    command = (str(program), "--data-dir", "x y")
    handler = XdgHandler(Launch(command, folder if in_folder else None), computer.folders)
    handler.register()
    assert handler.find() == Handler(Opens.THIS)
    entry = configparser.RawConfigParser(strict=False)
    entry.read_string(computer.own.read_text("utf-8"))
    start = arguments_of(entry["Desktop Entry"]["Exec"].replace("\\\\", "\\"))
    assert start[-2:] == ["--open-link", "%u"]
    said = subprocess.run([*start[:-1], "chat://x y"], cwd="/", capture_output=True, check=True)
    where = folder if in_folder else Path("/")
    assert said.stdout.decode().splitlines() == [
        str(where), "--data-dir", "x y", "--open-link", "chat://x y",
    ]  # fmt: skip


@posix
def test_the_package_has_the_same_entry() -> None:
    """But for what depends on where the program is."""
    entries = []
    for text in (
        (ROOT / "build_specs" / "linux" / ENTRY).read_text("utf-8"),
        "\n".join(desktop_entry(["chat-client"], "chat-client")),
    ):
        entry = configparser.RawConfigParser(strict=False)
        entry.optionxform = str  # type: ignore[assignment,method-assign]  # keys have capitals
        entry.read_string(text)
        entries.append({name: dict(entry[name]) for name in entry.sections()})
    assert entries[1]["Desktop Entry"].pop("X-Chat-WrittenBySettings") == "true"
    assert entries[0] == entries[1]


@posix
def test_the_installed_one_needs_no_doing(computer: Computer) -> None:
    """A package's entry starts it by a name on the PATH, which is a link."""
    link = computer.home / "bin" / "chat-client"
    link.parent.mkdir(parents=True)
    link.symlink_to(computer.command)
    computer.entry(ENTRY, link)
    assert computer.handler.find() == Handler(Opens.INSTALLED)
    # Another copy is not it, and says where the one is that opens links.
    other = Computer.program(computer.home / "Chat 2" / "ChatClient")
    handler = XdgHandler(Launch((str(other),)), computer.folders)
    found = handler.find()
    assert found.opens is Opens.ANOTHER
    assert found.name == f"Talk in {computer.command.parent}"
    handler.register()
    assert handler.find() == Handler(Opens.THIS)
    handler.unregister()
    assert computer.handler.find() == Handler(Opens.INSTALLED)


@posix
@pytest.mark.parametrize("where", ["default", "added", "desktop", "cache", "system"])
def test_another_program_is_found(computer: Computer, where: str) -> None:
    """Wherever it was chosen; registering goes before it, and unregistering gives it back."""
    talk = Computer.program(computer.home / "bin" / "talk")
    computer.entry(OTHER, talk)
    match where:
        case "default":
            computer.list(f"[Default Applications]\n{MIME_TYPE}={OTHER}\n")
        case "added":
            computer.list(f"[Added Associations]\n{MIME_TYPE}=gone.desktop;{OTHER};\n")
        case "desktop":
            computer.list(f"[Default Applications]\n{MIME_TYPE}={OTHER};\n", "gnome-mimeapps.list")
        case "cache":
            cache = computer.system / "applications" / "mimeinfo.cache"
            cache.write_text(f"[MIME Cache]\n{MIME_TYPE}={OTHER};\n")
        case _:
            [system] = computer.folders.config_dirs
            system.mkdir(parents=True)
            (system / "mimeapps.list").write_text(f"[Default Applications]\n{MIME_TYPE}={OTHER};\n")
    assert computer.handler.find() == Handler(Opens.ANOTHER, "Talk")
    computer.handler.register()
    assert computer.handler.find() == Handler(Opens.THIS)
    computer.handler.unregister()
    assert computer.handler.find() == Handler(Opens.ANOTHER, "Talk")


@posix
@pytest.mark.parametrize(
    "text",
    [
        f"[Default Applications]\n{MIME_TYPE}=gone.desktop\n",
        f"[Default Applications]\n{MIME_TYPE}=../../{OTHER}\n",
        f"[Removed Associations]\n{MIME_TYPE}={OTHER};\n",
        f"#[Default Applications]\n#{MIME_TYPE}={OTHER}\n",
        f"{MIME_TYPE}={OTHER}\n",
        "\x00\xff[",
    ],
)
def test_lists_that_choose_nothing(computer: Computer, text: str) -> None:
    """Entries that are gone, comments, and what is no list."""
    computer.list("").write_bytes(text.encode("latin-1"))
    assert computer.handler.find() == Handler(Opens.NOTHING)
    computer.handler.register()
    assert computer.handler.find() == Handler(Opens.THIS)


@posix
@pytest.mark.parametrize("more", ["TryExec=/gone", "Hidden=true"])
def test_an_entry_of_what_is_gone_opens_nothing(computer: Computer, more: str) -> None:
    """As when the folder of a copy was moved: the settings offer this one then."""
    computer.list(f"[Default Applications]\n{MIME_TYPE}={ENTRY};\n")
    computer.entry(ENTRY, "/gone/ChatClient", more, system=False)
    assert computer.handler.find() == Handler(Opens.NOTHING)


@posix
def test_an_entry_that_was_there_comes_back(computer: Computer) -> None:
    """The person's own one, which somebody has written by hand."""
    mine = computer.entry(ENTRY, computer.command, system=False).read_text()
    computer.handler.register()
    assert computer.own.read_text() != mine
    computer.handler.unregister()
    assert computer.own.read_text() == mine
    computer.handler.unregister()
    assert computer.own.read_text() == mine


@posix
def test_a_list_that_is_a_link_stays_one(computer: Computer) -> None:
    """People keep their settings elsewhere, and link to them."""
    real = computer.home / "dotfiles"
    real.parent.mkdir(parents=True, exist_ok=True)
    real.write_text("[Default Applications]\ntext/html=firefox.desktop\n")
    link = computer.list("")
    link.unlink()
    link.symlink_to(real)
    computer.handler.register()
    assert link.is_symlink()
    assert "firefox.desktop" in real.read_text()
    assert ENTRY in real.read_text()


@posix
def test_what_can_not_be_written_is_said(computer: Computer) -> None:
    """With the place and the system's reason; nothing is half done."""
    computer.folders.data.parent.mkdir(parents=True)
    computer.folders.data.write_text("a file in its place")
    with pytest.raises(SchemeHandlerError, match=r"can’t be written.*share"):
        computer.handler.register()
    assert not computer.folders.config.exists()


@posix
def test_a_folder_with_a_line_break_is_refused(computer: Computer) -> None:
    """No entry can name it."""
    handler = XdgHandler(Launch(("/a\nb",)), computer.folders)
    with pytest.raises(SchemeHandlerError, match="line break"):
        handler.register()
    assert not computer.own.exists()


@posix
def test_the_desktops_own_tool_accepts_it(computer: Computer) -> None:
    """Where it is installed."""
    import shutil

    if shutil.which("desktop-file-validate") is None:
        pytest.skip("desktop-file-validate is not installed")
    folder = computer.home / 'a "$b" \\c %d `e` ü'
    command = (str(Computer.program(folder / "ChatClient")),)
    XdgHandler(Launch(command, folder), computer.folders).register()
    done = subprocess.run(
        ["desktop-file-validate", str(computer.own)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x00"))))
def test_every_argument_survives_the_entry(arguments: list[str]) -> None:
    """Whatever the folders of people are called."""
    assert arguments_of(" ".join(map(quoted, arguments))) == arguments


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], ["[Default Applications]", "S=E;"]),
        (["[Added Associations]", "S=a"],
         ["[Added Associations]", "S=a", "", "[Default Applications]", "S=E;"]),
        (["[Default Applications]", "T=a"], ["[Default Applications]", "S=E;", "T=a"]),
        (["[Default Applications]", "T=a", "S=x;E;y", "[More]", "S=z"],
         ["[Default Applications]", "T=a", "S=E;x;y;", "[More]", "S=z"]),
        (["# mine", "[Default Applications]", " S = x ", "S=y"],
         ["# mine", "[Default Applications]", "S=E;x;y;"]),
    ],
)  # fmt: skip
def test_only_one_line_of_the_list_changes(before: list[str], after: list[str]) -> None:
    """Comments, order and other groups stay; what was chosen before comes second."""
    written = [line.replace("S", MIME_TYPE, 1) for line in before]
    expected = [line.replace("S", MIME_TYPE, 1) for line in after]
    assert choose(written, "E") == expected
    assert "E" not in "".join(choose_no_more(expected, "E"))
    assert choose(choose_no_more(expected, "E"), "E") == expected


@posix
def test_the_folders_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative ones count as none; a desktop has several names."""
    for name in ("XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS", "XDG_CURRENT_DESKTOP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    found = environment_folders()
    assert found.data == Path("/home/ada/.local/share")
    assert found.config == Path("/home/ada/.config")
    assert found.data_dirs == (Path("/usr/local/share"), Path("/usr/share"))
    assert found.config_dirs == (Path("/etc/xdg"),)
    monkeypatch.setenv("XDG_DATA_HOME", "/d")
    monkeypatch.setenv("XDG_DATA_DIRS", "/a:b::/c")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME:../x")
    found = environment_folders()
    assert (found.data, found.data_dirs) == (Path("/d"), (Path("/a"), Path("/c")))
    assert found.desktops == ("ubuntu", "gnome")


def test_this_copy_is_started_with_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """From source in its folder; frozen by itself."""
    options = Options(data_dir=Path("relative"), profile="work")
    program = own_launch(options)
    rest = ("--data-dir", os.path.abspath("relative"), "--profile", "work")  # noqa: PTH100  # as text
    assert program == Launch((sys.executable, "-m", "chat_client", *rest), ROOT)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_launch(Options()) == Launch((sys.executable,), None)


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_each_system_has_its_own(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS the application says it by itself."""
    monkeypatch.setattr(sys, "platform", system)
    assert (scheme_handler(Options()) is None) is (system == "darwin")


class Registry:
    """As winreg, with one person's keys."""

    HKEY_CURRENT_USER, REG_SZ = object(), 1

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, str]] = {}
        self.full = False

    def CreateKey(self, _: object, path: str) -> Any:  # noqa: N802  # winreg's
        """Create a key with all above it."""
        if self.full:
            raise PermissionError("no")
        parts = path.split("\\")
        for length in range(1, len(parts) + 1):
            self.keys.setdefault("\\".join(parts[:length]), {})
        registry = self

        class Key:
            def __enter__(self) -> dict[str, str]:
                return registry.keys[path]

            def __exit__(self, *_: object) -> None:
                pass

        return Key()

    def SetValueEx(self, key: dict[str, str], name: str, _: int, kind: int, value: str) -> None:  # noqa: N802  # winreg's
        """Set a value."""
        assert kind == self.REG_SZ
        key[name] = value

    def QueryValue(self, _: object, path: str) -> str:  # noqa: N802  # winreg's
        """The unnamed value of a key."""
        if path not in self.keys:
            raise FileNotFoundError(path)
        return self.keys[path].get("", "")

    def DeleteKey(self, _: object, path: str) -> None:  # noqa: N802  # winreg's
        """Delete a key, which must have none below it."""
        if any(each.startswith(f"{path}\\") for each in self.keys):
            raise PermissionError(path)
        del self.keys[path]


PROGRAM = Launch((r"C:\Program Files\Chat\ChatClient.exe", "--profile", "a b"))


def test_the_registry_is_written_and_cleaned() -> None:
    """A link that breaks out of its quotation marks finds no option behind it."""
    registry = Registry()
    handler = WindowsHandler(PROGRAM, registry)
    assert handler.find() == Handler(Opens.NOTHING)
    handler.register()
    assert handler.find() == Handler(Opens.THIS)
    assert registry.keys[KEY] == {"": "URL:Chat", "URL Protocol": ""}
    command = registry.keys[rf"{KEY}\shell\open\command"][""]
    assert command == (r'"C:\Program Files\Chat\ChatClient.exe" --profile "a b" --open-link "%1"')
    other = WindowsHandler(Launch(("D:\\ChatClient.exe",)), registry)
    assert other.find() == Handler(Opens.ANOTHER, command)
    other.unregister()  # it is not its own
    assert handler.find() == Handler(Opens.THIS)
    handler.unregister()
    assert [key for key in registry.keys if "chat" in key] == []
    handler.unregister()


def test_a_registry_that_refuses() -> None:
    """A sentence says it; and the source can't be started from there."""
    registry = Registry()
    registry.full = True
    with pytest.raises(SchemeHandlerError, match="registry can’t be changed"):
        WindowsHandler(PROGRAM, registry).register()
    with pytest.raises(SchemeHandlerError, match="from source"):
        WindowsHandler(PROGRAM._replace(folder=ROOT), registry).register()
    assert command_line(Launch(("a",))) == 'a --open-link "%1"'
