"""What tests of the controller's parts share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chat_client.cache.cache import Cache
from tests.unit.chat_client.state.parts import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    """One link and its surroundings."""
    cache = Cache(None)
    with cache.transaction():
        yield Bench(cache)
    cache.close()
