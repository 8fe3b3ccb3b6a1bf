"""Guests who join without the standing link: by a code, by asking, by another invite."""

from __future__ import annotations

import json
import queue
from contextlib import suppress
from typing import TypeVar

from chat_client.net.joining import JoinConnection
from chat_client.options import Name
from chat_client.state.joining import Digits, Invited, JoiningNews, Refused, Withdrawn
from common.domain.invite import Invite, Place, parse_invite
from tests.process.harness import DEADLINE, House, Server, wait_until
from tests.process.test_moderation import ctl, objects

_News = TypeVar("_News")


class Guest:
    """Somebody who joins without a link, in this process; what their client logs is caught."""

    def __init__(self, place: Place) -> None:
        self._news: queue.SimpleQueue[JoiningNews] = queue.SimpleQueue()
        self.joining = JoinConnection(place, lambda _: "7" * 32, self._news.put)

    def expect(self, kind: type[_News]) -> _News:
        """The next news of a kind."""
        while not isinstance(item := self._news.get(timeout=DEADLINE), kind):
            assert not isinstance(item, Refused), item
        return item


def created(house: House, server: Server, *order: str) -> Invite:
    """The invite that a command line makes."""
    (line,) = ctl(house, server, *order, "--json").out
    return parse_invite(json.loads(line)["link"])


def by_code(house: House, server: Server, place: Place) -> tuple[str, Invite]:
    """The spoken code, and what came of it; a wrong one is tried before."""
    (shown,) = objects(house, server, "code")
    code: str = shown["code"]
    wrong = Guest(place)
    wrong.joining.code("0000-0000" if code != "0000-0000" else "1111-1111")
    with suppress(AssertionError):
        wrong.expect(Invited)
    wrong.joining.close()
    guest = Guest(place)
    guest.joining.code(code)
    invited = guest.expect(Invited)
    guest.joining.close()
    return code, invited.invite


def request(house: House, server: Server) -> str:
    """The number of the one request that the host sees."""
    requests: list[str] = []

    def is_there() -> bool:
        requests[:] = [str(each["request"]) for each in objects(house, server, "requests")]
        return bool(requests)

    wait_until(is_there, "the request to join")
    return requests[0]


def by_knock(house: House, server: Server, place: Place) -> Invite:
    """What a request to join came to."""
    guest = Guest(place)
    guest.joining.knock(Name("nora", "Nora"))
    guest.expect(Digits)
    assert ctl(house, server, "admit", request(house, server)).status() == 0
    invited = guest.expect(Invited)
    guest.joining.close()
    return invited.invite


def withdrawn(place: Place) -> None:
    """A request to join that is taken back."""
    guest = Guest(place)
    guest.joining.knock(Name("otto", "Otto"))
    guest.expect(Digits)
    guest.joining.withdraw()
    guest.expect(Withdrawn)
    guest.joining.close()


def denied(house: House, server: Server, place: Place) -> None:
    """A request to join that the host refuses: nobody asks from there for a while."""
    guest = Guest(place)
    guest.joining.knock(Name("mona", "Mona"))
    guest.expect(Digits)
    assert ctl(house, server, "deny", request(house, server)).status() == 0
    guest.joining.close()
