"""dev.py: what a developer meets on a fresh machine, and when they press Ctrl+C."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import build_specs.setup_env
import dev
from build_specs.setup_env import DevError, Interpreter, environment, writable_checkout
from chat_client.options import parse_options
from common.domain.display_names import clean_display_name
from common.domain.names import fold_username
from tests.tiers import TIERS

ROOT = Path(__file__).resolve().parents[1]


class Machine:
    """A checkout in a folder of its own, and an interpreter that may lack system packages."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made = self.installed = 0
        self.missing: list[str] = []
        self.path = "/usr/bin/python3"
        self.folder = folder
        monkeypatch.setattr(build_specs.setup_env, "ROOT", folder)
        monkeypatch.setattr(build_specs.setup_env, "usable_interpreter", self._interpreter)
        monkeypatch.setattr(build_specs.setup_env, "make_environment", self._make)
        monkeypatch.setattr(build_specs.setup_env, "install_packages", self._install)
        monkeypatch.setattr(build_specs.setup_env, "missing_programs", set)

    def _interpreter(self, needs: set[str]) -> Interpreter:
        """As after the installation of the system packages for what is needed."""
        self.missing = [one for one in self.missing if one not in needs]
        return Interpreter(self.path, (3, 11, 2), True, self.missing)

    def _make(self, folder: Path, _interpreter: Interpreter) -> None:
        self.made += 1
        python = build_specs.setup_env.python_in(folder)
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    def _install(self, _python: Path) -> None:
        self.installed += 1


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A bare one."""
    return Machine(tmp_path, monkeypatch)


def test_the_environment_is_made_once(machine: Machine) -> None:
    """A later command that needs more system packages keeps the environment that is there."""
    machine.missing = ["tkinter", "libpython"]
    environment()
    environment(tk=True)
    environment(tk=True, freeze=True)
    assert (machine.made, machine.installed) == (1, 1)
    assert json.loads((machine.folder / ".venv" / "stamp.json").read_text())["missing"] == []


def test_another_interpreter_gets_another_environment(machine: Machine) -> None:
    """A Python that lacks what is needed gives way to one that has it."""
    machine.missing = ["tkinter"]
    environment()
    machine.path = "/usr/bin/python3.12"
    environment(tk=True)
    assert machine.made == 2


def test_an_interrupted_setup_starts_afresh(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its stamp an environment is not taken for whole."""

    def fail(_python: Path) -> None:
        raise DevError("no network")

    with monkeypatch.context() as patched:
        patched.setattr(build_specs.setup_env, "install_packages", fail)
        with pytest.raises(DevError):
            environment()
    environment()
    assert (machine.made, machine.installed) == (2, 1)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_checkout_that_cannot_be_written(number: int) -> None:
    """A sentence with the folder and what to do, for each way a system refuses."""
    with pytest.raises(DevError, match="copy the folder") as caught, writable_checkout():
        raise OSError(number, os.strerror(number))
    assert str(ROOT) in str(caught.value)


def test_other_errors_are_not_taken_for_that() -> None:
    """A full disk is no read-only one."""
    with pytest.raises(OSError, match="No space"), writable_checkout():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "login", ["ada", "admin", "Jörg Müller", "DOMAIN\\\\kim", "", "-_-", "x" * 40]
)
def test_a_login_makes_a_name_that_is_let_in(login: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the developer is called on their computer."""
    monkeypatch.setattr("getpass.getuser", lambda: login)
    name = dev.login_name()
    assert fold_username(f"{name}-2") == f"{name}-2".lower()
    assert clean_display_name(name) == name
    assert parse_options(["--name", name]).name is not None


@pytest.mark.parametrize("command", ["test", "coverage"])
@pytest.mark.parametrize("tier", [["--tier", "unit"], ["--tier=unit"]])
def test_a_tier_is_ours_wherever_it_stands(command: str, tier: list[str]) -> None:
    """And everything else is pytest's, in its order."""
    options = dev.parse([command, "-k", "names", *tier, "-x", "tests/unit/common"])
    assert options.tier == "unit"
    assert options.rest == ["-k", "names", "-x", "tests/unit/common"]
    assert dev.parse([command, "-x"]).tier is None


def test_the_tiers_are_those_of_the_tests() -> None:
    """The command line has a list of its own, as it must not need what the tests are made of."""
    assert list(TIERS) == dev.TIERS


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What dev.py runs with Python, instead of running it."""
    called: list[tuple[str, ...]] = []

    def call(_: Path, *arguments: str, **variables: str) -> int:
        # Whatever is said about bytecode: programs that tests start need not compile it all.
        assert not variables["PYTHONDONTWRITEBYTECODE"]
        assert variables["PYTHONPYCACHEPREFIX"].startswith(str(dev.DEV))
        called.append(arguments)
        return 0

    monkeypatch.setattr(dev, "environment", lambda **_: Path(sys.executable))
    monkeypatch.setattr(dev, "call", call)
    return called


@pytest.mark.parametrize(
    ("rest", "workers"),
    [
        ([], True),
        (["-x", "-k", "names"], True),
        (["tests/unit/common"], False),
        (["tests/unit/common/test_names.py::test_x", "-x"], False),
        (["--pdb"], False),
        (["-n", "4"], False),
    ],
)
def test_tests_run_side_by_side(
    called: list[tuple[str, ...]], rest: list[str], workers: bool
) -> None:
    """Unless they are few, or somebody wants to look into them."""
    assert dev.test(dev.parse(["test", *rest])) == 0
    assert called == [("-m", "pytest", *dev.WORKERS * workers, *rest)]


def test_every_python_runs_what_may_differ_on_it(
    called: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One runs everything, the newest tells how much of the code it ran, others the units."""
    others = [Interpreter(f"python3.{minor}", (3, minor, 0), True, []) for minor in (12, 13)]
    monkeypatch.setattr(dev, "other_versions", lambda: others)
    assert dev.test(dev.parse(["test", "--all-pythons"])) == 0
    assert [arguments[2:] for arguments in called] == [
        tuple(dev.WORKERS),
        (*dev.WORKERS, *dev.BETWEEN),
        (*dev.WORKERS, *dev.NEWEST, *dev.COVERAGE),
    ]


_HEADLESS = """
import sys
from pathlib import Path
import dev
dev.environment = lambda **_: Path(sys.executable)  # this one, and none is made
sys.argv = ["dev.py", "run", "--headless"]
sys.exit(dev.main())
"""


@contextmanager
def _headless() -> Iterator["subprocess.Popen[str]"]:
    """`dev.py run --headless`, leading a process group as under a shell; always ended."""
    child = subprocess.Popen(
        [sys.executable, "-c", _HEADLESS],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    try:
        yield child
    finally:
        child.terminate()  # which ends its own children, too
        child.communicate()


def test_the_conversation_without_windows() -> None:
    """It ends with its success, and with nothing that looks like an error."""
    with _headless() as child:
        out, err = child.communicate(timeout=50)
    assert child.returncode == 0, err
    assert len(out.splitlines()) == 12
    assert err.splitlines()[-1].startswith("dev.py: it works"), err
    assert all(line.startswith("dev.py: ") for line in err.splitlines()), err


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
@pytest.mark.parametrize("lines", [0, 3])
def test_ctrl_c_during_the_conversation(lines: int) -> None:
    """Whenever it comes, to the whole process group as from a terminal: no traceback."""
    with _headless() as child:
        assert child.stderr is not None
        assert child.stdout is not None
        # The server is ready: its clients are about to be started, or talk already.
        assert "listens" in child.stderr.readline()
        for _ in range(lines):
            child.stdout.readline()
        os.killpg(child.pid, signal.SIGINT)
        _, err = child.communicate(timeout=50)
    assert child.returncode == 128 + signal.SIGINT, err
    assert err.splitlines()[-1] == "dev.py: stopped"
    assert "Traceback" not in err
