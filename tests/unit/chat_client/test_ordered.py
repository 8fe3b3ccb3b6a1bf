"""Keys in their order, changed one at a time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_client.window.ordered import Ordered

KEYS = st.sampled_from("abcdefgh")
STEPS = st.lists(st.tuples(KEYS, st.none() | st.integers(0, 4)), max_size=40)


@given(STEPS, st.lists(st.tuples(st.integers(0, 4), KEYS), unique_by=lambda pair: pair[1]))
def test_it_is_as_if_all_were_sorted_each_time(
    steps: list[tuple[str, int | None]], begin: list[tuple[int, str]]
) -> None:
    """By what each sorts by and then by the key; None stands for one that goes."""
    ordered = Ordered()
    ordered.fill(begin)
    model = {key: by for by, key in begin}
    for key, by in steps:
        if by is None:
            ordered.discard(key)
            model.pop(key, None)
        else:
            ordered.put(key, by)
            model[key] = by
        expected = sorted(model, key=lambda key: (model[key], key))
        assert list(ordered) == expected
        keys = ordered.snapshot()
        assert (len(ordered), len(keys), list(keys)) == (len(expected), len(expected), expected)
        assert [keys[at] for at in range(len(keys))] == expected
        assert [keys.at(key) for key in expected] == list(range(len(expected)))
        assert all((key in ordered) == (key in model) for key in "abcdefgh")
        assert all(keys.at(key) is None for key in "abcdefgh" if key not in model)


def test_what_is_shown_does_not_change_by_itself() -> None:
    """Of a key that has moved or gone it only isn't known any more where it is shown."""
    ordered = Ordered()
    ordered.fill([(1, "a"), (2, "b"), (3, "c")])
    keys = ordered.snapshot()
    ordered.put("a", 9)
    ordered.discard("b")
    ordered.put("d", 0)
    assert list(keys) == ["a", "b", "c"]
    assert [keys.at(key) for key in "abcd"] == [None, None, 2, None]
