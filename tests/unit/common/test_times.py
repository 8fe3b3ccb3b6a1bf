"""Any number of milliseconds can be shown as a time, and the protocol knows its bounds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from common import limits
from common.domain.times import local_time
from common.protocol import messages
from common.system.clock import notice_time_zone
from tests.events import said

ZONES = ("UTC0", "Kiritimati-14", "Baker+12", "CET-1CEST,M3.5.0,M10.5.0/3")


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The computer is in this time zone."""
    if not hasattr(time, "tzset"):
        pytest.skip("Windows' zone can't be set from here")
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    "milliseconds", [2**53 - 1, 2**63 - 1, -1, -(2**63), 10**300, limits.MAX_TIME, 0]
)
def test_every_time_can_be_shown_in_every_zone(milliseconds: int) -> None:
    """What lies outside of all calendars is shown as the nearest end of what may be sent."""
    shown = local_time(milliseconds)
    nearest = min(max(0, milliseconds), limits.MAX_TIME)
    assert round(shown.timestamp() * 1000) == nearest
    assert shown.year in {1969, 1970, 2999, 3000}


@given(st.integers(0, limits.MAX_TIME))
def test_a_lawful_time_is_shown_as_it_is(milliseconds: int) -> None:
    """To the millisecond, whatever the zone."""
    there = local_time(milliseconds)
    assert there == datetime.fromtimestamp(milliseconds / 1000, UTC)
    assert there.utcoffset() is not None


@pytest.mark.parametrize("sent_at", [limits.MAX_TIME + 1, 2**53 - 1, -1])
def test_a_time_beyond_all_calendars_is_refused_on_the_wire(sent_at: int) -> None:
    """In events and acknowledgements."""
    event = said(1)._asdict()
    ack = {"re": 1, **{name: event[name] for name in ("room", "seq", "cid", "sent_at")}}
    for kind, fields in ((messages.EventMessage, event), (messages.Ack, ack)):
        kind.model_validate(fields)
        with pytest.raises(ValidationError, match=str(limits.MAX_TIME) if sent_at > 0 else "0"):
            kind.model_validate({**fields, "sent_at": sent_at})


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a time zone of its own")
def test_another_zone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the program runs."""
    with monkeypatch.context() as patch:
        for zone, hour in (("UTC0", 12), ("East-9", 21)):
            patch.setenv("TZ", zone)
            notice_time_zone()
            assert local_time(12 * 3_600_000).hour == hour
    notice_time_zone()
