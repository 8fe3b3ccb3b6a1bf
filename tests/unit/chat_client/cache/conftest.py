"""The file in which the tests of the cache have it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a cache may be."""
    return tmp_path / "cache.db"
