"""What everyone is told of people, put together for each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_server.net.presence_batch import PresenceBatch

CONNECTIONS = range(4)
STEPS = st.lists(
    st.tuples(st.just("add"), st.none() | st.sampled_from(CONNECTIONS))
    | st.tuples(st.just("begin"), st.sampled_from(CONNECTIONS)),
    max_size=30,
)


def test_nothing_is_no_news() -> None:
    """Also when somebody came in."""
    news = PresenceBatch()
    news.begin(1)
    assert not news
    assert news.of(1) == b""


@given(STEPS)
def test_each_is_told_what_came_after_it_and_is_not_its_own(
    steps: list[tuple[str, int | None]],
) -> None:
    """As it is when each is told at once."""
    news = PresenceBatch()
    told = dict.fromkeys(CONNECTIONS, b"")
    for place, (step, who) in enumerate(steps):
        frame = b"<%d>" % place
        if step == "add":
            news.add(frame, who)
            for other in told:
                told[other] += frame if other != who else b""
        else:
            assert who is not None
            news.begin(who)
            told[who] = b""
    assert {number: news.of(number) for number in CONNECTIONS} == told


def test_all_who_are_told_everything_share_it() -> None:
    """A thousand get the same object."""
    news = PresenceBatch()
    news.add(b"one", None)
    news.add(b"two", 7)
    assert news.of(1) is news.of(2)
