"""The ways into a chat, and which of them the join screen offers. Pure."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, NamedTuple

OPEN: Final = "open"
"""Rule of a chat that anyone on its network may join."""
INVITE: Final = "invite"
"""Rule of a chat that is joined by link or code only."""
ASK: Final = "ask"
"""Rule of a chat whose host is asked by everybody; links and codes only add devices."""


class Way(Enum):
    """What the right side of the screen is about."""

    SEARCH = auto()
    """No chat is chosen: it looks for some, and says why there are none."""
    CHAT = auto()
    """The chosen chat: its host is asked, or nobody if it needs no permission."""
    CODE = auto()
    """The chosen chat, with the code that its host says."""
    LINK = auto()
    """An invite link, of whatever chat."""
    ADDRESS = auto()
    """An address that is typed."""


class Chosen(NamedTuple):
    """What is known of the chosen chat.

    `imitates` is true of one that has the name of a known chat and is another server; `direct` of
    one that is on this computer; `gone` of one that was found and is not there any more; `is_back`
    of one into which an account comes back, which asking would not help; `twin` of one that can't
    be told from another one; `listed` of one that stands in the list, and not of one that a link or
    an address has led to. `copies` are addresses of several computers that all say they are it.
    """

    rule: str = ""
    imitates: bool = False
    direct: bool = False
    gone: bool = False
    is_back: bool = False
    twin: bool = False
    listed: bool = True
    copies: tuple[str, ...] = ()

    @property
    def dubious(self) -> bool:
        """Whether it may be another chat than the person thinks: a code or a link tells."""
        return self.imitates or self.twin

    @property
    def can_ask(self) -> bool:
        """Whether its host can be asked."""
        return not (self.dubious or self.is_back or self.at_once) and self.rule != INVITE

    @property
    def at_once(self) -> bool:
        """Whether one may come in without a word of the host."""
        return not self.is_back and (self.direct or (self.rule == OPEN and not self.dubious))


def best_way(chosen: Chosen) -> Way:
    """The way in that is shown first for a chosen chat."""
    return Way.CHAT if chosen.can_ask or chosen.at_once else Way.CODE


def button_of(way: Way, chosen: Chosen) -> str:
    """What the button says; "" for none."""
    if way is Way.CHAT:
        return "Join" if chosen.at_once else "Ask to join"
    return {Way.CODE: "Join", Way.LINK: "Join", Way.ADDRESS: "Connect"}.get(way, "")


_SAID: Final = {
    Way.CHAT: "Ask to join",
    Way.CODE: "I have a code",
    Way.LINK: "I have an invite link",
    Way.SEARCH: "Look for chats",
    Way.ADDRESS: "Type an address",
}


def other_ways(way: Way, chosen: Chosen | None) -> list[tuple[Way, str]]:
    """The ways that are offered besides, with what their links say."""
    ways = []
    if chosen is None or chosen.gone or not chosen.listed:
        ways.append(Way.SEARCH)
    if chosen is not None and not chosen.direct:
        ways += [Way.CHAT, Way.CODE] if chosen.can_ask or chosen.at_once else [Way.CODE]
    ways.append(Way.LINK)
    said = dict(_SAID)
    if chosen is not None and chosen.at_once:
        said[Way.CHAT] = "Join without an invite"
    return [(each, said[each]) for each in ways if each is not way]


def warning_of(name: str, chosen: Chosen) -> str:
    """What is to be said of the chosen chat before anybody joins it, or ""."""
    if chosen.imitates:
        return (
            f"You know another chat named “{name}”. This one is a different server, so its host is "
            "not asked. If you know whose it is, get a code or a link from that person."
        )
    if chosen.twin:
        return (
            f"There are two chats here named “{name}”, with the same two words and colour. One of "
            "them pretends to be the other, so neither host is asked. Get a code or a link from "
            "the person whose chat it is."
        )
    if chosen.copies:
        return (
            f"Several computers say that they are “{name}”: {', '.join(chosen.copies)}. Its folder "
            "may have been copied; then what is said on one is not on the other. Ask the host "
            "which one to stop."
        )
    if chosen.at_once and not chosen.direct:
        return "Anyone on this network may join this chat."
    return ""
