"""Getting the project ready on a fresh machine: a Python with Tk, a virtual screen, .venv.

Standard library only, in syntax that Python 3.8 parses: see dev.py.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

OLDEST = (3, 11)
NAMES = ["python3", *(f"python3.{minor}" for minor in range(OLDEST[1], 20))]

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "build_specs" / "requirements-dev.txt"  # holds what the programs need, too

PROBE = """
import json, os, sys, sysconfig
missing = []
for module in ("venv", "ensurepip", "tkinter"):
    try:
        __import__(module)
    except ImportError:
        missing.append(module)
library = os.path.join(*sysconfig.get_config_vars("LIBDIR", "INSTSONAME"))
if sys.platform.startswith("linux") and not os.path.exists(library):
    missing.append("libpython")  # what a bundle carries; its interpreter is no executable
released = sys.implementation.name == "cpython" and sys.version_info.releaselevel == "final"
path = getattr(sys, "_base_executable", sys.executable)
print(json.dumps([path, list(sys.version_info[:3]), released, missing]))
"""

# For each package manager: how it installs, and what it calls what we may miss.
MANAGERS = {
    "apt-get": (
        "apt-get install -y --no-install-recommends",
        {
            "tkinter": "python3-tk",
            "venv": "{python}-venv",
            "Xvfb": "xvfb",
            "libpython": "libpython3.{minor}",
            "objcopy": "binutils",
        },
    ),
    "dnf": (
        "dnf install",
        {"tkinter": "python3-tkinter", "venv": "python3", "Xvfb": "xorg-x11-server-Xvfb"},
    ),
    "pacman": ("pacman -S", {"tkinter": "tk", "venv": "python", "Xvfb": "xorg-server-xvfb"}),
    "zypper": (
        "zypper install",
        {"tkinter": "python3{minor}-tk", "venv": "python3{minor}", "Xvfb": "xorg-x11-server-Xvfb"},
    ),
    "brew": ("brew install", {"tkinter": "python-tk@3.{minor}", "venv": "python@3.{minor}"}),
}


class DevError(Exception):
    """What a person has to know or do, in a sentence; `code` is dev.py's exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


# --- interpreters -----------------------------------------------------------------------------


class Interpreter(NamedTuple):
    """A Python that is new enough; `missing` is what some systems split off and it lacks."""

    path: str
    version: tuple[int, int, int]
    released: bool  # a CPython, and no preview
    missing: list[str]


def probe(path: str) -> Interpreter | None:
    """Ask an interpreter what it is; None when it does not run or is too old."""
    command = [path, "-c", PROBE]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        path, version, released, missing = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    found = Interpreter(path, tuple(version), released, missing)
    return found if found.version >= OLDEST else None


def own_interpreter() -> Interpreter:
    # Called from within a virtual environment, it is the one that was made from.
    found = probe(getattr(sys, "_base_executable", sys.executable))
    if found is None:
        raise DevError(f"{sys.executable} cannot be started a second time")
    return found


def other_interpreters() -> Iterator[Interpreter]:
    """Find every Python on the PATH, in /usr/bin and from pyenv that is new enough."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    paths = [path for path in map(shutil.which, NAMES) if path]
    paths += [path for path in (f"/usr/bin/{name}" for name in NAMES) if Path(path).exists()]
    paths += sorted(map(str, pyenv.glob("versions/3.*/bin/python3")))
    seen = {os.path.realpath(own_interpreter().path)}
    for path in paths:
        found = probe(path)
        if found and os.path.realpath(found.path) not in seen:
            seen.add(os.path.realpath(found.path))
            yield found


def other_versions() -> list[Interpreter]:
    """Find a CPython with Tk for every minor version but this one's, the newest of each."""
    newest: dict[tuple[int, ...], Interpreter] = {}
    for found in other_interpreters():
        minor = found.version[:2]
        if (
            found.released
            and not lacking(found, {"venv", "ensurepip", "tkinter"})
            and minor != sys.version_info[:2]
        ):
            newest[minor] = max(found, newest.get(minor, found), key=lambda one: one.version)
    return [newest[minor] for minor in sorted(newest)]


def usable_interpreter(needs: set[str]) -> Interpreter:
    """Find an interpreter that has what is needed: this one, if need be after installing it."""
    own = own_interpreter()
    missing = lacking(own, needs)
    if not missing:
        return own
    # A self-built Python takes nothing from system packages; the system's own, below, does.
    if apt_install(missing if own.path.startswith("/usr/bin/") else needs):
        own = own_interpreter()
        if not lacking(own, needs):
            return own
    for other in other_interpreters():
        if not lacking(other, needs):
            say(f"{own.path} has no {', '.join(sorted(missing))}; using {other.path}, which has")
            return other
    raise DevError(f"missing for {own.path}: {', '.join(sorted(missing))}. {advice(missing)}")


def lacking(interpreter: Interpreter, needs: set[str]) -> set[str]:
    return needs & missing_programs().union(interpreter.missing)


def missing_programs() -> set[str]:
    return {program for program in ("Xvfb", "objcopy") if not shutil.which(program)}


# --- system packages --------------------------------------------------------------------------


def has_display() -> bool:
    # Tk speaks X11 only: under Wayland too, it is DISPLAY that counts.
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY"))


def install_command(missing: set[str]) -> list[str]:
    """Give the command that installs these on this system; empty where there is none."""
    manager = next(filter(shutil.which, MANAGERS), None)
    if manager is None or sys.platform == "win32":
        return []
    # A second Python of a Debian, python3.12 beside python3, has its own venv package.
    own = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    second = own.parent == Path("/usr/bin") and own != Path("/usr/bin/python3").resolve()
    command, names = MANAGERS[manager]
    packages = {names["venv" if need == "ensurepip" else need] for need in missing}
    python = own.name if second else "python3"
    return command.split() + sorted(
        package.format(python=python, minor=sys.version_info[1]) for package in packages
    )


def advice(missing: set[str]) -> str:
    command = install_command(missing)
    if command:
        rights = [] if command[0] == "brew" else ["sudo"]
        return "Install it, then try again:\n    " + " ".join(rights + command)
    if sys.platform == "win32":
        return 'Start the Python installer, choose "Modify" and tick "tcl/tk and IDLE" and "pip".'
    return "Install it with this system's package manager, then try again."


def apt_install(missing: set[str]) -> bool:
    """Install Debian packages if this user may without a question; True when that went well."""
    command = install_command(missing)
    if sys.platform == "win32" or command[:1] != ["apt-get"]:
        return False
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        subprocess.run([*rights, "true"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    say("installing system packages: " + " ".join(rights + command))
    apt_get = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120"]

    def apt(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*rights, *apt_get, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    # Only a machine with no package lists, or with stale ones, needs the update.
    done = apt(*command[1:])
    if done.returncode:
        say("fetching the package lists")
        apt("update")
        done = apt(*command[1:])
    if done.returncode:
        say("apt-get failed. It said:\n" + done.stdout.decode(errors="replace").rstrip())
    return done.returncode == 0


# --- the virtual environment ------------------------------------------------------------------


def environment(
    *,
    tk: bool = False,
    screen: bool = False,
    freeze: bool = False,
    other: Interpreter | None = None,
) -> Path:
    """Give the Python of an up-to-date .venv, made first if need be.

    With `tk`, that Python has tkinter; with `screen` there is one to draw on, too, if need be a
    virtual one; with `freeze` it can make bundles. With `other`, it is .venv-3.X of that
    interpreter. When nothing has to be made, this takes a few milliseconds.
    """
    folder = ROOT / (".venv-{}.{}".format(*other.version) if other else ".venv")
    needs = {"venv", "ensurepip"}
    if tk:
        needs.add("tkinter")
    if screen and not has_display():
        needs.add("Xvfb")  # pytest-xvfb starts it
    if freeze and sys.platform.startswith("linux"):
        needs |= {"libpython", "objcopy"}
    asked = [other.path, str(other.version)] if other else [sys.base_prefix, sys.version]
    wanted = {"asked": asked, "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest()}
    if is_made(folder, wanted, needs) and not needs & missing_programs():
        return python_in(folder)
    interpreter = other or usable_interpreter(needs)
    # What this environment was made from; the needed packages may have come since then.
    made = {**wanted, "interpreter": [interpreter.path, str(interpreter.version)]}
    with writable_checkout(), alone(folder.with_name(folder.name + ".lock")):
        if not is_made(folder, made):
            make_environment(folder, interpreter)
            install_packages(python_in(folder))
        if not is_made(folder, made, needs):
            # Last of all: without it the set-up was interrupted, and the next call starts afresh.
            stamp = {**made, "missing": interpreter.missing}
            (folder / "stamp.json").write_text(json.dumps(stamp), "utf-8")
    return python_in(folder)


@contextlib.contextmanager
def writable_checkout() -> Iterator[None]:
    """Turn the system's refusal to write beside the sources into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise
        raise DevError(
            f"{ROOT} can't be written ({error.strerror}), and .venv and .dev belong there; "
            "copy the folder to a place of your own"
        ) from error


def python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def is_made(
    folder: Path, wanted: Mapping[str, object], needs: Collection[str] = frozenset()
) -> bool:
    """Tell by its stamp whether an environment was made to the end, from and with these things."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        stamp = json.loads((folder / "stamp.json").read_text("utf-8"))
        same = all(stamp[key] == value for key, value in wanted.items())
        return python_in(folder).exists() and same and not set(stamp["missing"]).intersection(needs)
    return False


def hold(path: Path) -> IO[str] | None:
    """Lock a file until it is closed or this process ends; None if another process has it."""
    file = path.open("a", encoding="utf-8")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def alone(path: Path) -> IO[str]:
    """Lock a file, waiting for another dev.py that has it."""
    held = hold(path)
    if held is None:
        say("another dev.py is setting up; waiting for it")
    while held is None:
        time.sleep(0.2)
        held = hold(path)
    return held


def make_environment(folder: Path, interpreter: Interpreter) -> None:
    say(f"making {folder.name} with {interpreter.path} (once; takes about half a minute)")
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise DevError(
            f"cannot remove {folder}: does a program in it still run? {error}"
        ) from error
    command = [interpreter.path, "-m", "venv", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevError(f"{' '.join(command)} failed. It said:\n{done.stdout}{done.stderr}")


def install_packages(python: Path) -> None:
    total = len(re.findall(r"^\S+==", LOCK.read_text("utf-8"), re.MULTILINE))
    say(f"installing up to {total} packages from {LOCK.name}")
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    output = []
    count = 0
    with subprocess.Popen(
        [*command, "--require-hashes", "--requirement", str(LOCK)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as pip:
        try:
            for line in pip.stdout or ():
                output.append(line)
                if line.startswith(("Collecting ", "Processing ")):
                    count += 1
                    progress(f"{count}/{total} {Path(line.split()[1]).name.split('==')[0]}")
                elif line.startswith("Installing "):
                    progress("unpacking")
        except BaseException:
            pip.kill()  # it must not go on in a folder that the next set-up removes
            raise
    progress("")
    if pip.returncode:
        raise DevError(
            "pip could not install the packages; is the network there? "
            "The same command tries again. pip said:\n" + "".join(output).rstrip()
        )


def progress(text: str) -> None:
    """Show how far it is, in one line that is overwritten; only where a person looks on."""
    if sys.stderr.isatty():
        print(f"\r        {text:<60}\r", end="", file=sys.stderr, flush=True)
