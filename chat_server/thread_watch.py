"""Watched threads: one that fails is reported, as the server can't go on without it."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

Ended = Callable[[str], object]
"""Called with a thread's name, on that thread, when it has failed and ended."""


def ignore(_what: object) -> None:
    """Do nothing: the failure is logged."""


def watched(run: Callable[[], object], name: str, ended: Ended) -> threading.Thread:
    """A thread, not started yet, that calls `ended` when `run` raises anything.

    A server without one of its threads looks alive and is not: it accepts and never answers.
    """

    def guarded() -> None:
        try:
            run()
        except BaseException:
            log.critical("the thread %s failed", name, exc_info=True)
            ended(name)

    return threading.Thread(target=guarded, name=name)
