"""Rows that are made when they come into view are like rows that are all there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ui.lists.list_rows import ItemRows, JoinedRows, KeyedRows, Rows


class Keys(list[str]):
    """The plainest keys."""

    def at(self, key: str) -> int | None:
        """Where a key stands."""
        return self.index(key) if key in self else None


PARTS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.booleans()), max_size=5)
"""Of each part: how many items of what height, and whether they are made from their keys."""


@given(PARTS)
def test_parts_are_like_one_list(parts: list[tuple[int, int, bool]]) -> None:
    """Places, tops, keys and items; also those of items without a key, and of nothing at all."""
    joined: list[Rows[str]] = []
    flat: list[str] = []
    heights: dict[str, int] = {}
    for number, (count, height, made) in enumerate(parts):
        names = [f"{'k' if made else '-'}{number}.{at}" for at in range(count)]
        heights.update(dict.fromkeys(names, height))
        flat += names
        if made:
            joined.append(KeyedRows(Keys(names), lambda key: key, height))
        else:
            joined.append(ItemRows(names, _key_of, heights.__getitem__))
    rows, model = JoinedRows(joined), ItemRows(flat, _key_of, heights.__getitem__)
    assert (len(rows), list(rows)) == (len(model), list(model))
    assert [rows.item(place) for place in range(len(rows))] == flat
    assert [rows.top(place) for place in range(len(rows) + 1)] == [
        model.top(place) for place in range(len(model) + 1)
    ]
    height = model.top(len(model))
    assert [rows.at(y) for y in range(-3, height + 3)] == [
        model.at(y) for y in range(-3, height + 3)
    ]
    assert [rows.place(name) for name in flat] == [model.place(name) for name in flat]
    assert rows.place("nobody") is None


def _key_of(name: str) -> str | None:
    return name if name[0] == "k" or name[-1] in "024" else None


@pytest.mark.parametrize(("y", "place"), [(-1, -1), (0, 0), (9, 0), (10, 1), (29, 2), (30, 3)])
def test_a_height_has_its_row(y: int, place: int) -> None:
    """Above the first there is none, and below the last."""
    assert KeyedRows(Keys("abc"), str, 10).at(y) == place
    assert ItemRows(list("abc"), str, lambda _: 10).at(y) == place
