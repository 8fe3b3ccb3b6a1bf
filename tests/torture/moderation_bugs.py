"""Wrong programs that break what is promised of bans, mutes, roles, the invite and history."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from chat_client.cache.cache import Cache
from chat_server.rules.sanctions import Sanction, SanctionList
from chat_server.store.sqlite.store import SqliteStore
from common.protocol.events import Event
from tests.torture import inside
from tests.torture.hooks import Points, wrap

_NUMBERS: Final = itertools.count(1 << 20)


def _ban_not_stored(_points: Points) -> None:
    """It holds until the server ends."""

    def add(original: Any, store: SqliteStore, sanction: Sanction) -> Sanction:
        if sanction.kind == "ban":
            return replace(sanction, number=next(_NUMBERS))
        stored: Sanction = original(store, sanction)
        return stored

    wrap(SqliteStore, "add_sanction", add)


def _banned_stay(_points: Points) -> None:
    """Who is banned is not let in any more, and is not sent away either."""
    inside.around_ending(lambda original, _sessions, *told: original((), *told))


def _sent_away_too_early(_points: Points) -> None:
    """Whether it could be stored or not."""
    ended: list[Any] = []

    def end(original: Any, *rest: object) -> Any:
        ended.append(original(*rest))
        return ended[-1]

    inside.around_ending(end)
    inside.after_failed_batch(lambda: [*ended], ended.clear)


def _audit_row_missing(_points: Points) -> None:
    def add(original: Any, store: SqliteStore, at: int, by: str, action: str, *rest: Any) -> None:
        if action != "mute":
            original(store, at, by, action, *rest)

    wrap(SqliteStore, "add_audit", add)


def _audit_row_twice(_points: Points) -> None:
    def add(original: Any, *row: object) -> None:
        original(*row)
        original(*row)

    wrap(SqliteStore, "add_audit", add)


def _muted_are_heard(_points: Points) -> None:
    wrap(SanctionList, "mute_of", lambda *_: None)


def _role_not_stored(_points: Points) -> None:
    wrap(SqliteStore, "change_account", lambda *_: None)


def _everybody_moderates(_points: Points) -> None:
    inside.all_moderators()


def _old_link_works(_points: Points) -> None:
    inside.keep_invite()


def _page_with_a_hole(_points: Points) -> None:
    def fitting(original: Any, events: Sequence[Event], keep: int) -> list[Event]:
        page: list[Event] = original(events, keep)
        return [*page[: len(page) // 2], *page[len(page) // 2 + 1 :]]

    inside.around_page(fitting)


def lose_one_of_a_page() -> None:
    """A client that stores a page but for one event, and takes all of it for stored."""

    def add_past(original: Any, cache: Cache, events: Sequence[Event], upto: int) -> None:
        original(cache, events, upto)
        place = (events[0].room, events[len(events) // 2].seq)
        cache._connection.execute("DELETE FROM events WHERE room = ? AND seq = ?", place)

    wrap(Cache, "add_past", add_past)


MODERATION_BUGS: Final[Mapping[str, Callable[[Points], None]]] = {
    "ban-not-stored": _ban_not_stored,
    "banned-stay": _banned_stay,
    "sent-away-too-early": _sent_away_too_early,
    "audit-row-missing": _audit_row_missing,
    "audit-row-twice": _audit_row_twice,
    "muted-are-heard": _muted_are_heard,
    "role-not-stored": _role_not_stored,
    "everybody-moderates": _everybody_moderates,
    "old-link-works": _old_link_works,
    "page-with-a-hole": _page_with_a_hole,
}
"""Wrong servers."""
