"""A house for each test: whatever it starts is ended, and must have been free of errors."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.harness import House, Server, a_house
from tests.process.networks import Networks, some_networks, why_not
from tests.window_manager import window_manager
from tests.x_server import x_server

# A shell starts what runs in the background with Ctrl+C ignored, which children would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Where servers and clients are started."""
    with a_house(tmp_path) as house:
        yield house


@pytest.fixture
def server(house: House) -> Server:
    """A running server."""
    return house.server()


@pytest.fixture
def networks() -> Iterator[Networks]:
    """Computers and cables, gone afterwards; a test is skipped where there can be none."""
    if why := why_not():
        pytest.skip(why)
    with some_networks() as made:
        yield made


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One running server for all tests of a file that don't mind what others did there."""
    with a_house(tmp_path_factory.mktemp("standing")) as house:
        yield house.server()


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A screen with a window manager."""
    with pytest.MonkeyPatch.context() as patch, x_server() as display:
        patch.setenv("DISPLAY", display)
        with window_manager():
            yield display
