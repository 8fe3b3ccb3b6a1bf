"""`--smoke-test`: whether all of an installed program works on this computer."""

from __future__ import annotations

import faulthandler
import importlib
import os
import pkgutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from common.system.build import version_line

DEADLINE: Final = 60
"""Timeout in seconds; a program that hangs prints its stacks, and ends with status 1."""

Check = tuple[str, Callable[[Path], str]]
"""The name of a check, and its function: it gets an empty folder, and returns its findings."""


def run_checks(program: str, checks: Sequence[Check]) -> int:
    """Make every check, and print a line for each. Returns 0; if one failed, the process ends."""
    faulthandler.dump_traceback_later(DEADLINE, exit=True)
    print(version_line(program), flush=True)
    failed = 0
    for name, look in checks:
        # No data of the user is touched.
        with tempfile.TemporaryDirectory(prefix="chat-smoke-") as folder:
            try:
                print(f"ok      {name}: {look(Path(folder))}", flush=True)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
                failed += 1
                print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
    faulthandler.cancel_dump_traceback_later()
    if failed:
        print(f"{failed} of {len(checks)} checks failed", flush=True)
        # Immediately: a failed check may have left threads that wait for ever.
        os._exit(1)
    print("all is well", flush=True)
    return 0


def every_module(*packages: str) -> Check:
    """Import every module, also those that are seldom used."""

    def look(_: Path) -> str:
        names = [name for package in packages for name in _modules(package)]
        for name in names:
            importlib.import_module(name)
        return f"{len(names)} imported"

    return "modules", look


def look_at_names(_: Path) -> str:
    """Check the tables for names: transliteration, confusables and emoji."""
    from common.domain.display_names import Namesakes, clean_display_name
    from common.domain.names import suggest_username

    name = clean_display_name("Łukasz \N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}")
    people = Namesakes()
    people.put("one", "Ada")
    people.put("other", "\N{CYRILLIC CAPITAL LETTER A}da")
    found = suggest_username(name), people.handle("one")
    if found != ("lukasz", "@one"):
        raise RuntimeError(f"names came out as {found!r}")
    return f"{len(name)} characters make {found[0]}, and lookalikes are told apart"


def _modules(package: str) -> list[str]:
    found = importlib.import_module(package)
    inside = pkgutil.walk_packages(found.__path__, f"{package}.")
    names = [package, *(module.name for module in inside if not module.name.endswith("__main__"))]
    if len(names) < 3:
        # Not an assertion: a bundle may be built without them.
        raise ImportError(f"{package} is empty in {sys.path[:1]}")
    return names
