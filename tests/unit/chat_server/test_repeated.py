"""Mistakes in the log: each has its traceback there, once."""

from __future__ import annotations

import io
import logging

import pytest

from chat_server.hub import repeated
from chat_server.hub.repeated import Repeated

pytestmark = pytest.mark.usefixtures("errors_logged")


def broken(log: logging.Logger, what: str, *, otherwise: bool = False) -> None:
    """Make a mistake, at one of two places, and log it."""
    nothing: dict[str, int] = {}
    try:
        if otherwise:
            nothing.pop(what)
        else:
            del nothing[what]
    except KeyError:
        log.exception("%s could not be handled", "a send")


@pytest.fixture
def written(request: pytest.FixtureRequest) -> tuple[logging.Logger, io.StringIO]:
    """A log, and what is written to it."""
    log, stream = logging.getLogger(f"mistakes of {request.node.name}"), io.StringIO()
    log.propagate = False
    log.addHandler(logging.StreamHandler(stream))
    log.addFilter(Repeated())
    return log, stream


def test_the_same_mistake_is_one_line(written: tuple[logging.Logger, io.StringIO]) -> None:
    """It still says what went wrong this time; another one has a traceback of its own."""
    log, stream = written
    for number in range(5):
        broken(log, f"one {number}")
    broken(log, "two", otherwise=True)
    lines = stream.getvalue().splitlines()
    assert sum(line.startswith("Traceback") for line in lines) == 2
    assert "a send could not be handled, again: KeyError: 'one 4'" in lines
    log.error("no error: %d", 7)
    log.error("no error: %d", 7)
    assert stream.getvalue().splitlines()[-2:] == ["no error: 7"] * 2


def test_what_is_remembered_is_bounded(
    written: tuple[logging.Logger, io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those beyond are logged whole: nothing is lost by it."""
    log, stream = written
    monkeypatch.setattr(repeated, "MOST", 1)
    for otherwise in (False, True, True):
        broken(log, "x", otherwise=otherwise)
    assert stream.getvalue().count("Traceback") == 3
