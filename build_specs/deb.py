"""Make a Debian package of the frozen Chat folder: `make_deb`.

Linux only; needs dpkg and binutils. The same folder, version and epoch give the
same bytes: times, modes, owners and order are fixed. What is not made here lies in linux/: desktop
entries, AppStream metadata, man pages, licences, and what lintian is not to complain about.
"""

import gzip
import hashlib
import os
import re
import shutil
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from build_specs.elf import elf_files, read_linkage
from build_specs.tools import BuildError, run

HERE: Final = Path(__file__).parent
TEXTS: Final = HERE / "linux"
ICONS: Final = HERE.parent / "common" / "ui" / "assets" / "icons"
ICON_SIZES: Final = (16, 24, 32, 48, 64, 128, 256)
PACKAGE: Final = "chat-desktop"
PROGRAMS: Final = {"ChatServer": "chat-server", "ChatClient": "chat-client"}
"""The frozen programs, and the commands that start them."""
MAINTAINER: Final = "the Chat authors <chat@chat.invalid>"
"""Debian wants an address; one in .invalid is nobody's, now and later (RFC 6761 §6.4)."""
LIBRARIES: Final = {
    **dict.fromkeys(
        (
            *("libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "libresolv.so.2"),
            *("librt.so.1", "libutil.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"),
        ),
        "libc6",
    ),
    "libxcb.so.1": "libxcb1",
    "libz.so.1": "zlib1g",
}
"""The package of each library that may be left to the system, by its soname."""
DATA: Final = (
    # What bundled libraries read where Debian has it: which fonts there are,
    "fontconfig-config",
    # at least one of them (Inter, which the programs bring, has not every script),
    "fonts-dejavu-core | fonts-noto-core | fonts-liberation | fonts-freefont-ttf | fonts-inter",
    # and libX11's table of locales, without which no accent can be composed.
    "libx11-data",
)
GLIBC_FEATURES: Final = {"GLIBC_ABI_DT_RELR": (2, 36)}
"""Version needs that name a feature, and the glibc that has it first."""
CONTROL: Final = """\
Package: {package}
Version: {version}
Section: net
Priority: optional
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: {depends}
Recommends: notification-daemon, pipewire-bin | pulseaudio-utils | alsa-utils, xdg-utils
Description: chat for the people on one network
 One person starts ChatServer, everyone else starts ChatClient, and they talk:
 no cloud, no internet, no account anywhere, no administrator. Everything is
 encrypted from the first byte, and nothing that was sent is lost.
 .
 Both programs have a window. ChatServer also runs without one, and ChatClient
 has commands for scripts: send, listen, rooms and people.
"""
CHANGELOG: Final = """\
{package} ({version}) unstable; urgency=medium

  * Version {version} of ChatServer and ChatClient.

 -- {maintainer}  {date}
"""


class DebError(BuildError):
    """The package can't be made."""


def make_deb(folder: Path, out: Path, version: str, epoch: int) -> Path:
    """Put a package of the frozen `folder` into the folder `out`, and give its path.

    `version` is as Python writes it (PEP 440), `epoch` the time of all that is in the package, in
    seconds since 1970. An older package of that name is replaced, once the new one is whole.
    Raises DebError.
    """
    for program in PROGRAMS:
        if not (folder / program).is_file():
            raise DebError(f"there is no {program} in {folder}")
    date = datetime.fromtimestamp(epoch, UTC)
    facts = {
        "package": PACKAGE,
        "version": debian_version(version),
        "maintainer": MAINTAINER,
        "date": format_datetime(date),
        "architecture": run("dpkg", "--print-architecture").strip(),
        "depends": ", ".join(dependencies(folder)),
    }
    out.mkdir(parents=True, exist_ok=True)
    # In `out`, so that the finished package only has to be renamed.
    with TemporaryDirectory(prefix=".deb-", dir=out) as temporary:
        tree = Path(temporary) / "tree"
        _install_programs(tree, folder)
        _install_desktop(tree, {"@VERSION@": version, "@DATE@": f"{date:%Y-%m-%d}"})
        _install_documents(tree, CHANGELOG.format(**facts))
        control = CONTROL.format(**facts, size=_installed_size(tree))
        sums = _md5sums(tree)
        _write(tree / "DEBIAN" / "control", control.encode())
        _write(tree / "DEBIAN" / "md5sums", sums.encode())
        _settle(tree, epoch)
        made = Path(temporary) / f"{PACKAGE}_{facts['version']}_{facts['architecture']}.deb"
        build = ("dpkg-deb", "--build", "--root-owner-group", "-Zxz", str(tree), str(made))
        run(*build, SOURCE_DATE_EPOCH=str(epoch))
        return made.replace(out / made.name)


def debian_version(version: str) -> str:
    """The version in Debian's form, and in the order of PEP 440. Raises DebError.

    A tilde sorts before everything, even the end: 1.0~~dev1, 1.0~a1, 1.0~rc1, 1.0.
    """
    if not re.fullmatch(r"\d[A-Za-z0-9.+]*", version):
        raise DebError(f"{version!r} is no version that a Debian package can have")
    return re.sub(r"(?<=\d)(?=(a|b|rc)\d)", "~", version).replace(".dev", "~~dev")


# --- what it depends on -----------------------------------------------------------------------


def dependencies(folder: Path) -> list[str]:
    """The packages that the folder's programs and libraries need, as Depends has them.

    Raises DebError when a library is neither in the folder nor known.
    """
    binaries = {path: read_linkage(path) for path in elf_files(folder)}
    brought = {path.name for path in folder.rglob("*") if path.parent != folder}
    packages = set()
    glibc = (2, 17)
    for path, linkage in binaries.items():
        # A program is loaded before it can point the linker to the libraries beside it.
        own = set() if path.parent == folder else brought
        for library in linkage.needed:
            if library in own:
                continue
            if library not in LIBRARIES:
                raise DebError(
                    f"{path.relative_to(folder)} needs {library}, which is neither in the folder "
                    "nor in the table LIBRARIES of build_specs/deb.py"
                )
            packages.add(LIBRARIES[library])
        glibc = max([glibc, *(_glibc(version, path) for version in linkage.versions)])
    packages.discard("libc6")
    return ["libc6 (>= {}.{})".format(*glibc), *sorted(packages), *DATA]


def _glibc(version: str, path: Path) -> tuple[int, int]:
    """The release of glibc that has a version of symbols first."""
    numbers = re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", version)
    if numbers:
        return int(numbers[1]), int(numbers[2])
    if version not in GLIBC_FEATURES:
        raise DebError(
            f"{path.name} needs {version}, and the table GLIBC_FEATURES of build_specs/deb.py "
            "does not say which glibc has that"
        )
    return GLIBC_FEATURES[version]


# --- what is in it ----------------------------------------------------------------------------


def _install_programs(tree: Path, folder: Path) -> None:
    home = tree / "usr/lib" / PACKAGE
    shutil.copytree(folder, home, symlinks=True)
    commands = tree / "usr/bin"
    commands.mkdir()
    for program, command in PROGRAMS.items():
        (commands / command).symlink_to(f"../lib/{PACKAGE}/{program}")


def _install_desktop(tree: Path, facts: dict[str, str]) -> None:
    share = tree / "usr/share"
    for program, command in PROGRAMS.items():
        entry = f"lan.chat.{program}.desktop"
        _write(share / "applications" / entry, (TEXTS / entry).read_bytes())
        about = f"lan.chat.{program}.metainfo.xml"
        _write(share / "metainfo" / about, _filled(about, facts))
        _write(share / f"man/man1/{command}.1.gz", _gzip(_filled(f"{command}.1", facts)))
        for size in ICON_SIZES:
            icon = share / f"icons/hicolor/{size}x{size}/apps/{command}.png"
            _write(icon, (ICONS / f"{command}-{size}.png").read_bytes())


def _install_documents(tree: Path, changelog: str) -> None:
    share = tree / "usr/share"
    documents = share / "doc" / PACKAGE
    _write(documents / "copyright", (TEXTS / "copyright").read_bytes())
    _write(documents / "changelog.gz", _gzip(changelog.encode()))
    overrides = (TEXTS / "lintian-overrides").read_bytes()
    _write(share / "lintian/overrides" / PACKAGE, overrides)


def _filled(name: str, facts: dict[str, str]) -> bytes:
    text = (TEXTS / name).read_text("utf-8")
    for blank, fact in facts.items():
        text = text.replace(blank, fact)
    return text.encode()


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _installed_size(tree: Path) -> int:
    """In KiB, as the Debian policy counts (§5.6.20): what is no file is 1."""
    paths = tree.rglob("*")
    files = [path.lstat().st_size if _is_file(path) else 1 for path in paths]
    return sum(-(-size // 1024) for size in files)


def _md5sums(tree: Path) -> str:
    return "".join(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  "
        f"{path.relative_to(tree)}\n"
        for path in sorted(tree.rglob("*"))
        if _is_file(path)
    )


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _settle(tree: Path, epoch: int) -> None:
    """Give everything the modes of Debian's policy (§10.9) and one time."""
    home = tree / "usr/lib" / PACKAGE
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            executed = path.is_dir() or (path.parent == home and path.name in PROGRAMS)
            path.chmod(0o755 if executed else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)
