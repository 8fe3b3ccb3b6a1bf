"""Make everything that users download, in dist/: ``python3 dev.py build`` runs this.

What is made is the same, bit by bit, for the same commit on the same system: hashes are not
random, times are the commit's, and folders are read in the order of names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from build_specs.contents import ContentsError, check_licences, find_parts
from build_specs.deb import make_deb
from build_specs.licences import collect_licences
from build_specs.sbom import write_sbom
from build_specs.tools import BuildError
from common import __version__

HERE: Final = Path(__file__).resolve().parent
SOURCE: Final = HERE.parent
PROGRAMS: Final = ("ChatServer", "ChatClient")


def main() -> int:
    """Build. The exit status: 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="build", description=__doc__)
    parser.add_argument("--dist", type=Path, default=SOURCE / "dist", help="where to (%(default)s)")
    parser.add_argument("--only-folder", action="store_true", help="no archives and packages")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="chat-build-") as work:
            Build(options.dist.resolve(), Path(work)).run(only_folder=options.only_folder)
    except (BuildError, ContentsError, OSError, subprocess.CalledProcessError) as error:
        print(f"build: failed: {error}", file=sys.stderr)
        return 1
    print(f"build: all of it is in {options.dist} after {time.monotonic() - began:.0f} s")
    return 0


class Build:
    """One build: `dist` receives it, `work` is an empty folder for what is in between."""

    def __init__(self, dist: Path, work: Path) -> None:
        self._dist, self._work = dist, work
        self._commit, self._epoch = commit()
        self._folder = dist / "Chat"
        self._name = f"Chat-{__version__}-{system()}"

    def run(self, *, only_folder: bool) -> None:
        """All steps, each announced. Raises BuildError and what its parts raise."""
        if self._dist.exists():
            shutil.rmtree(self._dist)
        self._dist.mkdir(parents=True)
        self._step("freezing both programs", self._freeze)
        if sys.platform == "darwin":
            self._step("packing the applications", self._pack_applications)
        else:
            self._step("joining them in one folder", self._join)
            self._step("collecting licences and the bill of materials", self._account_for_it)
            if not only_folder:
                self._step("packing the folder", self._pack)
                if shutil.which("dpkg-deb"):
                    self._step("making the Debian package", self._make_deb)
        self._step("adding up", self._sum_up)

    def _step(self, what: str, action: Callable[[], object]) -> None:
        print(f"build: {what}", flush=True)
        action()

    def _freeze(self) -> None:
        """Run both specs at once: each keeps one core busy."""
        told = self._work / "build.json"
        date = datetime.fromtimestamp(self._epoch, UTC).date().isoformat()
        told.write_text(json.dumps({"commit": self._commit, "date": date}))
        running = [(program, self._start(program, told)) for program in PROGRAMS]
        for program, process in running:
            said, _ = process.communicate()
            if process.returncode:
                raise BuildError(f"PyInstaller can't freeze {program}. It said:\n{said[-4000:]}")

    def _start(self, program: str, told: Path) -> subprocess.Popen[str]:
        work = self._work / program
        work.mkdir()
        fixed = {
            "CHAT_BUILD": str(told),
            "PYTHONHASHSEED": "0",
            # Code that is read from a cache is not the same, bit by bit, as what is compiled.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPYCACHEPREFIX": str(work / "bytecode"),
            "SOURCE_DATE_EPOCH": str(self._epoch),
            "PYINSTALLER_CONFIG_DIR": str(work / "cache"),  # two at once must not share it
        }
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
        command += [f"--distpath={self._dist}", f"--workpath={work}", str(HERE / f"{program}.spec")]
        return subprocess.Popen(
            command,
            cwd=work,
            env={**os.environ, **fixed},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def _join(self) -> None:
        """One folder with both executables; what they share must be the same in both."""
        for program in PROGRAMS:
            frozen = self._dist / f"{program}.folder"
            for source in files(frozen):
                goal = self._folder / source.relative_to(frozen)
                if goal.exists() and goal.read_bytes() != source.read_bytes():
                    raise BuildError(f"{goal.name} differs between the two programs")
                goal.parent.mkdir(parents=True, exist_ok=True)
                source.replace(goal)
            shutil.rmtree(frozen)

    def _account_for_it(self) -> None:
        parts = find_parts(self._folder)
        check_licences(parts)
        shutil.copy(HERE / "README.txt", self._folder)
        collect_licences(self._folder, parts, self._folder / "licenses")
        bill = self._dist / f"Chat-{__version__}.cdx.json"
        write_sbom(parts, bill, __version__, self._epoch, self._commit)

    def _pack(self) -> None:
        if sys.platform == "win32":
            pack_zip(self._folder, self._dist / f"{self._name}.zip", self._epoch)
        else:
            pack_tar(self._folder, self._dist / f"{self._name}.tar.xz", self._epoch)

    def _pack_applications(self) -> None:
        """With the system's own tool: it keeps the links and the signature that are in them."""
        for program in PROGRAMS:
            shutil.rmtree(self._dist / f"{program}.folder")
            archive = self._dist / f"{program}-{__version__}-{system()}.zip"
            command = ["ditto", "-c", "-k", "--keepParent", f"{program}.app", str(archive)]
            subprocess.run(command, cwd=self._dist, check=True)

    def _make_deb(self) -> None:
        make_deb(self._folder, self._dist, __version__, self._epoch)

    def _sum_up(self) -> None:
        lines = []
        for path in sorted(path for path in self._dist.iterdir() if path.is_file()):
            size = path.stat().st_size / 1e6
            print(f"build:     {path.name:<44} {size:6.1f} MB")
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
        (self._dist / "SHA256SUMS").write_text("".join(lines))


def commit() -> tuple[str, int]:
    """The short hash of what is built and its time, seconds since 1970."""
    command = ["git", "log", "-1", "--format=%h %ct"]
    try:
        done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=True)
        short, when = done.stdout.split()
    except (OSError, subprocess.CalledProcessError, ValueError):
        # A copy of the source without its history. Some time it must be, and always the same.
        return "unknown", int(os.environ.get("SOURCE_DATE_EPOCH", "1700000000"))
    command = ["git", "status", "--porcelain", "--untracked-files=no"]
    changed = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=True).stdout
    return short + ("+changed" if changed else ""), int(os.environ.get("SOURCE_DATE_EPOCH", when))


def system() -> str:
    """The system that is built on and for, as in names of downloads: ``linux-x86_64``."""
    name = {"win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    return f"{name}-{platform.machine().lower()}"


def files(folder: Path) -> Iterator[Path]:
    """All files below a folder, in the order of their names."""
    return (path for path in sorted(folder.rglob("*")) if not path.is_dir())


def pack_tar(folder: Path, goal: Path, epoch: int) -> None:
    """Pack a folder; owners and times of this computer stay out of it."""

    def neutral(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = epoch
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with tarfile.open(goal, "w:xz", preset=6) as archive:
        for path in sorted([folder, *folder.rglob("*")]):
            name = path.relative_to(folder.parent)
            archive.add(path, str(name), recursive=False, filter=neutral)


def pack_zip(folder: Path, goal: Path, epoch: int) -> None:
    """The same for a system that opens these by a double-click."""
    when = datetime.fromtimestamp(epoch, UTC).timetuple()[:6]
    with zipfile.ZipFile(goal, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), when)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
