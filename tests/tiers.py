"""The tiers of tests: how soon each is worth running, and what may not run side by side.

A test is in a tier by the folder that it is in, so nobody has to mark it:

    unit     parts in this process, over memory, temporary files and socket pairs
    process  programs as a person starts them, killed, cut off and out of disk
    gui      real windows on a virtual screen
    frozen   the programs as users get them, built first
    soak     what takes long and finds what is rare; only when asked for

`pytest -m unit` runs one of them, and `dev.py test` all but the last.
"""

from __future__ import annotations

from functools import cache
from pathlib import PurePath
from typing import Final

TIERS: Final = {
    "unit": "parts in this process; all of them in less than 30 seconds",
    "process": "programs as a person starts them, killed, cut off and out of disk",
    "gui": "real windows on a virtual screen",
    "frozen": "the programs as users get them, built first",
    "soak": "what takes long and finds what is rare; only when asked for",
}
"""Each with what it is, for `pytest --markers`."""

FOLDERS: Final = {
    "bench/endure/test_town.py": "process",
    "bench/load/test_generator.py": "process",
    "frozen": "frozen",
    "gui": "gui",
    "process": "process",
    "torture": "process",
    "test_dev.py": "process",
    "test_tiers.py": "process",
    "unit/chat_server/test_relay.py": "process",
    "unit/common/test_smoke.py": "process",
    # Its processes have windows, which not every Python has.
    "process/test_notified_window.py": "gui",
    "process/test_secrets_window.py": "gui",
    # What judges the torture is made of parts like any other.
    "torture/test_checker.py": "unit",
    "torture/test_moderated.py": "unit",
    "torture/test_parts.py": "unit",
    "torture/test_restored.py": "unit",
}
"""The tiers of files and folders below this one. What is not here is of the first tier."""

_SINGLY: Final = ("torture",)
"""Folders whose tests share nothing, and take so long that each is a group of its own."""

_LONGEST_FIRST: Final = ("frozen", "process", "gui", "unit", "soak")
"""The order in which workers take them, so that none is left with something long at the end."""


@cache  # thousands of tests are in hundreds of files
def tier_of(path: PurePath) -> str:
    """The tier of a test's file, named from this folder on."""
    for place in (path, *path.parents):
        if tier := FOLDERS.get(place.as_posix()):
            return tier
    return "unit"


def group_of(test: str) -> str:
    """What of a test's name from this folder on is the same for all that one worker runs in order.

    That is a file, for what its tests have in common; all of the frozen programs use one build.
    """
    file = test.partition("::")[0]
    return _group_of_file(file) or test


@cache
def _group_of_file(file: str) -> str:
    """The same for all tests of a file; empty if each is a group of its own."""
    path = PurePath(file)
    if tier_of(path) == "frozen":
        return "frozen"
    return "" if path.parts[0] in _SINGLY else file


def rank_of(path: PurePath) -> int:
    """When workers take the tests of a file: those with the smallest number first."""
    return _LONGEST_FIRST.index(tier_of(path))
