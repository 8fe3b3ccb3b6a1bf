"""What the join screen is given: its initial values, its callbacks, and its background work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from chat_client.options import Name
from chat_client.state.account import Account
from chat_client.window.join.attempt import JoinAttempt
from chat_client.window.join.listing import Entry, imitated
from chat_client.window.join.search import Search
from chat_client.window.join.ways import Chosen
from common.domain.invite import Invite, Place


@dataclass(frozen=True, slots=True)
class Prefill:
    """The initial values of the screen.

    `place` is a chat to be asked without an invite, or that of an `account` that needs another
    invite to come back into its chat; `link` is what stands in the link's field without an invite,
    such as a damaged link.
    """

    invite: Invite | None = None
    name: str = ""
    username: str = ""
    problem: str = ""
    field: str = ""
    place: Place | None = None
    account: Account | None = None
    link: str = ""


class Hooks(NamedTuple):
    """What the screen calls."""

    on_join: Callable[[Invite, Name], object]
    """Join with an invite."""
    on_account: Callable[[Account], object]
    """Open a chat that one is in already."""
    on_cancel: Callable[[], object]
    """End what `on_join` has begun."""
    on_settings: Callable[[], object]
    """Show the settings."""


class JoinModel(NamedTuple):
    """The background work of the screen, which outlives a screen that is made anew."""

    search: Search
    attempt: JoinAttempt

    def chosen(self, entry: Entry | None, back: Account | None = None) -> Chosen | None:
        """What is known of the chosen chat, which is listed as `entry` if it is; None without.

        `back` is the account that comes back into it.
        """
        place = self.attempt.place
        if place is None:
            return None
        imitates = bool(imitated(self.search.accounts, self.search.here, place))
        direct = entry is not None and entry.invite is not None
        gone = entry is not None and not self.search.has(entry)
        twin = entry is not None and entry.is_twin
        is_back = back is not None
        listed = entry is not None or is_back
        copies = () if entry is None else entry.copies
        return Chosen(self.attempt.rule, imitates, direct, gone, is_back, twin, listed, copies)

    def close(self) -> None:
        """End it."""
        self.search.close()
        self.attempt.close()
