"""Batches whose inputs depend on each other, run by hand."""

from __future__ import annotations

import itertools
from typing import Final

import pytest

from chat_server.hub.queue import HubItem, Received
from chat_server.rules import effects, inputs
from chat_server.rules.directory import RoomLog
from chat_server.rules.sanctions import SanctionKind
from common import limits
from common.domain.names import GENERAL
from common.protocol import messages
from common.protocol.messages import Message
from tests.unit.chat_server.hub_bench import HubBench
from tests.unit.chat_server.writing_batches import FAR, ended_ban


def test_what_has_ended_is_deleted_when_it_is_listed(bench: HubBench) -> None:
    """Once, and only that; what was done stays in the audit log."""
    bench.join("ada")
    host = bench.host()
    bench.run(Received(host, (messages.Ban(id=1, username="ada", until=FAR),)))
    bench.run()
    ended_ban(bench, "ada")
    audit = bench.audit()
    ask = messages.ListSanctions(id=2)
    released = bench.run(Received(host, (ask,)))
    listed = released.answer(host, ask)
    assert isinstance(listed, messages.Sanctions)
    assert [each.until for each in listed.sanctions] == [FAR]
    assert released.after == [inputs.PurgeSanctions()]
    bench.run()
    (left,) = bench.world.directory.sanctions.about(SanctionKind.BAN, "ada")
    assert left.until == FAR
    assert bench.world.directory == bench.store.load()
    assert bench.audit() == audit
    assert bench.run(Received(host, (ask,))).after == []


def test_who_resumes_was_never_away(bench: HubBench) -> None:
    """The former connection is ended; nobody is told that somebody came, or went."""
    ada = bench.join("ada")
    bench.join("bob")
    _, released = bench.sign_in("ada", resume=bench.session(ada).key)
    assert released.ended()[ada].code == "replaced"
    assert released.told() == []
    # Whereas who comes back later came, and who has another device already did not.
    bob, _ = bench.sign_in("bob")
    assert bench.sign_in("bob")[1].told() == []
    left = [
        bench.run(inputs.Closed(session.connection, "left")).told()
        for session in tuple(bench.world.sessions.of("bob"))
    ]
    assert left == [[], [], [messages.PresenceChanged(username="bob", online=False)]]
    assert bench.world.sessions.get(bob) is None
    _, released = bench.sign_in("bob")
    assert released.told() == [messages.PresenceChanged(username="bob", online=True)]


@pytest.mark.parametrize("place", range(22))
def test_all_of_the_secret_lets_in(bench: HubBench, place: int) -> None:
    """Not the most of it: one letter that is another, wherever, and nobody is told anything."""
    right = bench.world.facts.secret
    wrong = f"{right[:place]}-{right[place + 1 :]}"
    stranger = bench.connect()
    join = bench.join_command("cem").model_copy(update={"secret": wrong})
    recognize = messages.Recognize(id=bench.number(), secret=wrong, username="cem", nonce="0" * 32)
    released = bench.run(Received(stranger, (join, recognize)))
    for command in (join, recognize):
        error = released.answer(stranger, command)
        assert isinstance(error, messages.Error)
        assert (error.code, error.field) == ("bad_secret", "secret")
    assert bench.session(stranger).username is None


@pytest.mark.parametrize(
    ("count", "pages"),
    [
        (limits.PAGE_ROOMS - 1, [99]),
        (limits.PAGE_ROOMS, [100]),
        (limits.PAGE_ROOMS + 1, [100, 1]),
        (2 * limits.PAGE_ROOMS, [100, 100]),
    ],
)
def test_the_last_page_of_rooms_says_so(bench: HubBench, count: int, pages: list[int]) -> None:
    """Also one that is full to the last place."""
    ada = bench.join("ada")
    directory = bench.world.directory
    for number in range(count - 1):  # and the general one
        directory.add_room(room := RoomLog(10 + number, f"room{number:03}", 0, set()))
        directory.enter(room, "ada")
    got: list[str] = []
    sizes: list[int] = []
    more = True
    while more:
        command = messages.ListRooms(id=bench.number(), after=got[-1] if got else None)
        page = bench.run(Received(ada, (command,))).answer(ada, command)
        assert isinstance(page, messages.Rooms)
        got += [room.room for room in page.rooms]
        sizes.append(len(page.rooms))
        more = page.more
    assert sizes == pages
    assert got == sorted(directory.rooms)


BESIDE_A_BAN: Final = ("ban", "sign in", "say", "look back")


@pytest.mark.parametrize("split", [0, 1, 2, 3], ids=lambda split: f"{split} before")
@pytest.mark.parametrize("order", list(itertools.permutations(BESIDE_A_BAN)))
def test_nobody_slips_past_a_ban(bench: HubBench, order: tuple[str, ...], split: int) -> None:
    """Whatever is under way: in the same batch, or in the one that was taken before or after it."""
    ben, host, other = bench.join("ben"), bench.host(), bench.join("other")
    fresh = bench.connect()
    message = bench.send("still here")
    ban = messages.Ban(id=bench.number(), username="ben", reason="Enough.")
    looked = messages.History(id=bench.number(), room=GENERAL, count=10)
    items: dict[str, HubItem] = {
        "ban": Received(host, (ban,)),
        "sign in": Received(fresh, (bench.sign_in_command("ben"),)),
        "say": Received(ben, (message,)),
        "look back": Received(ben, (looked,)),
    }
    wanted = [items[each] for each in order]
    ended: dict[int, messages.Goodbye] = {}
    refused: list[Message] = []
    asked: list[effects.Query] = []
    for batch in (wanted[:split], wanted[split:], [], []):
        released = bench.run(*batch)
        ended |= released.ended()
        asked += [each for each in released.pages if isinstance(each, effects.Query)]
        refused += [each for each in released.answers(fresh) if isinstance(each, messages.Error)]
    assert not bench.world.sessions.online("ben")
    assert set(ended) == ({ben, fresh} if order.index("sign in") < order.index("ban") else {ben})
    assert {each.code for each in ended.values()} == {"banned"}
    assert [getattr(each, "code", "") for each in refused] == ["banned"] * (2 - len(ended))
    assert bench.session(other).username == "other"
    # What a worker reads for somebody who has been sent away reaches nobody.
    page = messages.HistoryPage(
        re=looked.id, room=GENERAL, events=(), upto=0, older=False, newer=False
    )
    for query in asked:
        late = bench.run(inputs.QueryDone(query.connection, query.re, page))
        assert late.io == []
    assert isinstance(bench.run(Received(other, (messages.Ping(id=1),))).io[0], effects.Tell)
