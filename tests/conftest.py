"""What every test here shares: its tier and its worker, Hypothesis, and where garbage goes."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from tests.tiers import FOLDERS, TIERS, group_of, rank_of, tier_of

# No deadline for one example: a busy machine is no bug, and pytest-timeout ends what hangs.
settings.register_profile(
    "chat", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("chat")

_HERE: Final = Path(__file__).parent
_WITH_TK: Final = {"gui", "frozen"}


def pytest_configure(config: pytest.Config) -> None:
    """Make the tiers known as markers."""
    for tier, what in TIERS.items():
        config.addinivalue_line("markers", f"{tier}: {what}")


@pytest.hookimpl(optionalhook=True)  # of pytest-xvfb
def pytest_xvfb_disable(config: pytest.Config) -> bool:
    """Start no screen for tests that have no windows."""
    return bool(config.option.markexpr == "unit")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Don't import the files of other tiers when one is asked for: it takes longer than they say.

    What is of the tier `soak` is marked in files of all.
    """
    tier = config.option.markexpr
    if tier not in set(FOLDERS.values()) | {"unit"} or collection_path.suffix != ".py":
        return None
    return tier_of(collection_path.relative_to(_HERE)) != tier or None


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by what is marked here
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its tier, and leave out what has to be asked for."""
    asked = "soak" in config.option.markexpr
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    places = {path: path.relative_to(_HERE) for path in {item.path for item in items}}
    for item in items:
        soak = item.get_closest_marker("soak") is not None
        if not soak:
            item.add_marker(tier_of(places[item.path]))
        (left_out if soak and not asked else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    if "PYTEST_XDIST_WORKER" in os.environ:
        kept.sort(key=lambda item: rank_of(places[item.path]))
    items[:] = kept


def pytest_collection_finish() -> None:
    """Leave modules and tests, which stay until the end, out of later collections of garbage.

    They are hundreds of thousands of objects, and tests with windows collect before and after each.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which runs tests in several processes
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Let a worker run all of a group, and take the next in the order of collection."""

    def split_scope(_: object, test: str) -> str:
        return group_of(test.removeprefix("tests/"))

    config.option.loadscopereorder = False
    base = importlib.import_module("xdist.scheduler").LoadScopeScheduling
    return type("Groups", (base,), {"_split_scope": split_scope})(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what was captured such that a worker can send it: text that UTF-8 can't encode, too."""
    report = yield
    report.sections = [
        (title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections
    ]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Collect what a file of tests with windows left, on the thread that made it.

    Fixtures have done so while pytest still held some of it. A Tk object that is collected
    on a thread of a later test, such as one that reads a process's output, ends the interpreter.
    """
    result = yield
    over = nextitem is None or nextitem.path != item.path
    if over and _WITH_TK.intersection(item.path.parts):
        gc.collect()
    return result


@pytest.fixture(scope="session", autouse=True)
def _unsynchronised() -> Iterator[str]:
    """Databases of this process don't wait for the disk: tests commit by the thousand.

    Programs that tests start do as always, and what is about it asks for `synchronised`.
    """
    from common.system import database

    for_users = database.SYNCHRONOUS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "SYNCHRONOUS", "OFF")
        yield for_users


@pytest.fixture(scope="session", autouse=True)
def _migrated_once() -> Iterator[None]:
    """New databases of this process are copies of one that the migrations made.

    Tests need thousands of them, and the migrations take ten times as long. Older databases are
    migrated as always.
    """
    from common.system import database

    migrate = database.run_migrations
    templates: dict[tuple[object, ...], sqlite3.Connection] = {}

    def copy(
        connection: sqlite3.Connection, version: int, migrations: Sequence[str], application: int
    ) -> None:
        if version:
            migrate(connection, version, migrations, application)
            return
        key = (*migrations, application)
        if key not in templates:
            made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            try:
                migrate(made, version, migrations, application)
            except BaseException:
                made.close()  # Python 3.13 warns of one that is not closed
                raise
            templates[key] = made
        templates[key].backup(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "run_migrations", copy)
        yield
    for made in templates.values():
        made.close()


@pytest.fixture
def synchronised(_unsynchronised: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Databases opened from now on wait for the disk, as they do for users."""
    monkeypatch.setattr("common.system.database.SYNCHRONOUS", _unsynchronised)


@pytest.fixture(autouse=True)
def _former_level_of_logging() -> Iterator[None]:
    """Put back what a program that ran in this process set: logging is the whole process's.

    Else what a later test waits for in the log would depend on the order of the tests.
    """
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
