"""Requests to join in any order: whatever guests and host do, what holds of them holds."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from chat_server.rules import inputs, join_requests
from chat_server.rules.effects import MayWait
from chat_server.rules.view import KnockArrived, KnockEnded
from chat_server.rules.world import Outcome
from common import limits
from common.domain.names import spelling
from common.protocol import messages
from tests.unit.chat_server.house import House, all_of, installation, told
from tests.unit.chat_server.rules.guests import NONCE

NAMES = ("ada", "bob", "b0b", "cyd", "dan", "eve")
ACTS = (
    "ask",
    "ask",
    "ask",
    "knock",
    "open",
    "withdraw",
    "leave",
    "expire",
    "join",
    "admit",
    "deny",
    "block",
    "wait",
)
acts = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 7), st.sampled_from(NAMES)),
    min_size=20,
    max_size=60,
)


class Scene:
    """Eight guests at two addresses with five devices among them, and a host."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.host = house.host()
        self.guests = [house.connect(f"192.0.2.{number % 2 + 1}") for number in range(8)]
        self.shown: set[int] = set()
        """The requests that the host's window has, by its events."""
        self.waiting: set[int] = set()
        """The connections that may stay without signing in."""

    def do(self, act: str, number: int, name: str) -> None:
        """One thing happens; to ask is two steps."""
        if act == "ask":
            self.do("knock", number, name)
            self.check()
            act = "open"
        guest, house = self.guests[number], self.house
        if house.world.sessions.get(guest.connection) is None or guest.username is not None:
            guest = self.guests[number] = house.connect(guest.address)
        some = next(iter(house.world.requests), None)
        command = self.command(act, number, name)
        if command is not None:
            outcome = house.do(guest, command)
            replies = [
                each for each in told(outcome, guest) if getattr(each, "re", 0) == command.id
            ]
            assert len(replies) == 1
            self.note(outcome)
        elif act in {"admit", "deny", "block"} and some is not None:
            self.answer(act, some)
        elif act == "leave":
            self.note(house.happen(inputs.Closed(guest.connection, "left")))
        elif act == "expire":
            self.note(house.happen(inputs.WaitEnded(guest.connection)))
        elif act == "wait":
            house.now += 20_000

    def command(self, act: str, number: int, name: str) -> messages.ToServer | None:
        """What a guest says."""
        device = installation(f"device{number % 5}")
        match act:
            case "knock":
                return messages.Knock(
                    id=1, username=name, display_name=name, device="D", installation=device
                )
            case "open":
                return messages.KnockOpen(id=1, nonce=NONCE.hex())
            case "withdraw":
                return messages.Withdraw(id=1)
            case "join":
                return self.house.join_command(name, installation=device)
        return None

    def answer(self, act: str, request: join_requests.JoinRequest) -> None:
        """The host answers the oldest request: its guest hears it, once."""
        command: messages.ToServer = messages.Deny(
            id=1, request=request.number, block=act == "block"
        )
        if act == "admit":
            command = messages.Admit(id=1, request=request.number)
        outcome = self.house.do(self.host, command)
        self.note(outcome)
        guest = self.house.world.sessions.get(request.connection)
        assert guest is not None
        (answer,) = [e for e in told(outcome, guest) if isinstance(e, messages.KnockAnswered)]
        assert (answer.secret is not None) == (act == "admit")

    def note(self, outcome: Outcome) -> None:
        """What host and I/O thread are told."""
        for arrived in all_of(outcome, KnockArrived):
            assert arrived.request not in self.shown
            self.shown.add(arrived.request)
        for ended in all_of(outcome, KnockEnded):
            self.shown.remove(ended.request)
        for wait in all_of(outcome, MayWait):
            if wait.seconds is None:
                self.waiting.discard(wait.connection)
            else:
                self.waiting.add(wait.connection)

    def check(self) -> None:
        """What holds at any time."""
        requests = list(self.house.world.requests)
        assert {each.number for each in requests} == self.shown
        assert {each.connection for each in requests} == self.waiting
        sessions = self.house.world.sessions
        found = [sessions.get(each.connection) for each in requests]
        assert all(each is not None and each.username is None for each in found)
        assert len(requests) <= limits.REQUESTS
        by_address = Counter(each.address for each in requests)
        assert max(by_address.values(), default=0) <= join_requests.OF_AN_ADDRESS
        for of_each in ("installation", "connection"):
            assert max(Counter(getattr(r, of_each) for r in requests).values(), default=0) <= 1
        names = [spelling(each.username) for each in requests]
        assert len(set(names)) == len(names)
        taken = self.house.world.directory.is_taken
        assert not any(taken(each.username) for each in requests)


@settings(max_examples=60, deadline=None)
@given(acts)
def test_whatever_is_done(what: list[tuple[str, int, str]]) -> None:
    """Host's window and I/O thread know what there is; bounds hold; names and devices are one's."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "chat.db")
        scene = Scene(house)
        try:
            for act, number, name in what:
                scene.do(act, number, name)
                scene.check()
        finally:
            house.close()
