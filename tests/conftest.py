"""What every test here shares: how Hypothesis looks for counterexamples, and where garbage goes."""

from __future__ import annotations

import gc
from collections.abc import Generator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

# No deadline for one example: a busy machine is no bug, and pytest-timeout ends what hangs.
settings.register_profile(
    "chat", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("chat")

_WITH_TK: Final = {"gui", "window", "frozen"}


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
