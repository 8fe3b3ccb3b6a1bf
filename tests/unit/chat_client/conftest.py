"""What the client's tests share: what they opened is closed after them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.chat_client.desk import Desk


@pytest.fixture(autouse=True)
def _desks_are_closed() -> Iterator[None]:
    """Close the caches of all desks that a test made."""
    yield
    while Desk.made:
        Desk.made.pop().cache.close()
