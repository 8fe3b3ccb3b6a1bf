"""Who falls behind, and catches up, batch by batch."""

from __future__ import annotations

from chat_server.hub.queue import Received
from chat_server.rules import effects, inputs
from chat_server.rules.view import (
    ClientSlow,
)
from common.domain.names import GENERAL
from common.protocol import messages
from tests.unit.chat_server.hub_bench import HubBench
from tests.unit.chat_server.writing_batches import DIRECT


def sync(bench: HubBench, **positions: int) -> messages.Sync:
    """Ask for rooms; `direct` is the one of ada and bob."""
    named = {DIRECT if name == "direct" else name: at for name, at in positions.items()}
    return messages.Sync(id=bench.number(), positions=named)


def test_who_fell_behind_is_brought_nothing_before_it_can_take_it(bench: HubBench) -> None:
    """Whatever it asks for, and whatever a reader still brings; and the host sees it as slow."""
    ada, bob = bench.join("ada"), bench.join("bob")
    bench.say(bob, "psst", DIRECT)
    released = bench.run(Received(ada, (sync(bench, general=2),)))
    assert effects.GoLive(ada, GENERAL) in released.io
    bench.say(bob, "one")
    slow = bench.run(inputs.FellBehind(ada, GENERAL, 2))
    assert slow.shown == [ClientSlow(ada, slow=True)]
    assert (slow.io, slow.pages) == ([], [])
    asked = bench.run(Received(ada, (sync(bench, direct=0),)))
    assert [type(each) for each in asked.io] == [effects.Tell]
    assert asked.pages == []
    bench.say(bob, "two")
    caught_up = bench.run(inputs.Drained(ada))
    (page,) = [each for each in caught_up.io if isinstance(each, effects.WriteEvents)]
    assert [event.text for event in bench.stored()[2:]] == ["one", "two"]
    told = [event.text for event in page.events]
    assert told.count("psst") == told.count("one") == 1
    assert {each.room for each in caught_up.io if isinstance(each, effects.GoLive)} == {
        GENERAL, DIRECT,
    }  # fmt: skip
    assert caught_up.shown == [ClientSlow(ada, slow=False)]


def test_who_has_more_to_catch_up_is_slow_still(bench: HubBench) -> None:
    """Until the last page of the last room is on its way."""
    ada, bob = bench.join("ada"), bench.join("bob")
    bench.run(Received(ada, (sync(bench, general=2),)))
    bench.say(bob, "one")
    bench.world.delivery.forget_tails()
    bench.run(inputs.FellBehind(ada, GENERAL, 2))
    drained = bench.run(inputs.Drained(ada))
    assert drained.pages == [effects.ReadPage(ada, ((GENERAL, 2),))]
    assert drained.shown == []
    read = bench.run(inputs.PageRead(ada, 7, ((GENERAL, 3),)))
    assert read.io == [effects.WritePage(ada, 7), effects.GoLive(ada, GENERAL)]
    assert bench.run(inputs.Drained(ada, 1)).shown == [ClientSlow(ada, slow=False)]


def test_who_waits_for_a_page_that_cant_be_read_is_told(bench: HubBench) -> None:
    """It comes again, and the others see it go."""
    ada = bench.join("ada")
    bench.join("bob")
    bench.world.delivery.forget_tails()
    released = bench.run(Received(ada, (sync(bench, general=0),)))
    assert released.pages == [effects.ReadPage(ada, ((GENERAL, 0),))]
    failed = bench.run(inputs.PageFailed(ada))
    assert failed.ended()[ada].code == "internal"
    assert failed.told() == [messages.PresenceChanged(username="ada", online=False)]
    assert bench.run(inputs.PageFailed(ada)).io == []
